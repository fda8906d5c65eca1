import {TscomposeError} from '../../base/errors.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** As an image says it of itself. */
export type SaidPlatform = Omit<Platform, 'variant'> & {readonly variant?: string | undefined};

const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  ia32: '386',
  i386: '386',
  i686: '386',
  aarch64: 'arm64',
  armhf: 'arm',
  armel: 'arm',
  ppc64el: 'ppc64le',
  riscv: 'riscv64',
};

/** The names that images use (Go's), from those of Node and uname. */
export function normaliseArchitecture(name: string): string {
  return architectures[name.toLowerCase()] ?? name.toLowerCase();
}

/** `linux/amd64`, `linux/arm/v7`, `amd64`. Throws `invalid`. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const [first = '', second, third] = parts;
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    throw new TscomposeError('invalid', `invalid platform "${text}": it reads os/architecture[/variant]`);
  }
  if (second === undefined) {
    return first === 'linux' || first === 'windows'
      ? {os: first, architecture: normaliseArchitecture(process.arch)}
      : {os: 'linux', architecture: normaliseArchitecture(first)};
  }
  const variant =
    third ?? (second.toLowerCase() === 'armhf' ? 'v7' : second.toLowerCase() === 'armel' ? 'v6' : undefined);
  return {os: first.toLowerCase(), architecture: normaliseArchitecture(second), ...(variant ? {variant} : {})};
}

export function formatPlatform({os, architecture, variant}: SaidPlatform): string {
  return [os || 'unknown', architecture || 'unknown', ...(variant ? [variant] : [])].join('/');
}

/** Variants a machine also runs, best first (containerd platforms, compare.go). */
function variantRank({architecture, variant}: Platform, wanted: Platform): number | undefined {
  const number = (text: string | undefined, fallback: number) => Number(/^v(\d)/.exec(text ?? '')?.[1] ?? fallback);
  const fallbacks: Readonly<Record<string, number>> = {amd64: 1, arm64: 8, arm: 7};
  const fallback = fallbacks[architecture];
  if (fallback === undefined) return (variant ?? '') === (wanted.variant ?? '') ? 0 : undefined;
  const has = number(variant, fallback);
  const wants = number(wanted.variant, fallback);
  return has <= wants ? wants - has : undefined;
}

/** How well an image fits: smaller is better, undefined not at all. */
function platformRank(image: Platform, wanted: Platform): number | undefined {
  const os = image.os.toLowerCase();
  const architecture = normaliseArchitecture(image.architecture);
  if (os !== wanted.os || architecture !== wanted.architecture) return undefined;
  return variantRank({...image, architecture}, wanted);
}

/** The one that fits best; what says nothing of its platform fits none. */
export function bestPlatform<T extends {readonly platform?: Platform | undefined}>(
  candidates: readonly T[],
  wanted: Platform,
): T | undefined {
  let best: {readonly candidate: T; readonly rank: number} | undefined;
  for (const candidate of candidates) {
    const rank = candidate.platform && platformRank(candidate.platform, wanted);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = {candidate, rank};
  }
  return best?.candidate;
}

export function machinePlatform(nodeArchitecture: string): Platform {
  return {os: 'linux', architecture: normaliseArchitecture(nodeArchitecture)};
}

/** Processors run programs of these, too, where their system does not keep them from it. */
const runsToo: Readonly<Record<string, readonly string[]>> = {amd64: ['386'], arm64: ['arm']};

/** Whether a machine runs an image's programs by itself. One that says nothing of itself is taken to be of this machine. */
export function runsHere(image: SaidPlatform, machine: Platform): boolean {
  const architecture = normaliseArchitecture(image.architecture);
  if (architecture === '' || architecture === machine.architecture) return image.os === machine.os;
  return image.os === machine.os && (runsToo[machine.architecture] ?? []).includes(architecture);
}

/** Throws `notFound`, as Docker words it, for an image that was found but is of another platform. */
export function checkPlatform(reference: string, image: Platform, wanted: Platform | undefined): void {
  // An image of another kind of machine may say nothing about itself.
  if (wanted === undefined || image.architecture === '' || platformRank(image, wanted) !== undefined) return;
  throw new TscomposeError(
    'notFound',
    `image with reference ${reference} was found but its platform (${formatPlatform(image)}) does not match the specified platform (${formatPlatform(wanted)})`,
  );
}
