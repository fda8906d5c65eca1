import {formatBytes} from '../base/bytes.ts';
import type {Json} from '../base/canonical-json.ts';
import {type Difference, type DiffGroup, diffGroups} from './diff.ts';

export interface DiffRendering {
  /** What the two sides are called. */
  readonly before: string;
  readonly after: string;
  readonly color?: boolean;
}

const titles: Readonly<Record<DiffGroup, string>> = {
  services: 'services',
  image: 'images',
  rights: 'rights and isolation',
  ports: 'ports and exposure',
  volumes: 'volumes and data',
  secrets: 'secrets and configs',
  replicas: 'replicas',
  limits: 'limits',
  other: 'everything else',
};

/** Differences as a person reads them: by risk, `-` before, `+` after. */
export function diffText(differences: readonly Difference[], {before, after, color = false}: DiffRendering): string {
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  if (differences.length === 0) return `${before} and ${after} are the same\n`;
  const lines = [paint(31, `- ${before}`), paint(32, `+ ${after}`)];
  for (const group of diffGroups) {
    const members = differences.filter((difference) => difference.group === group);
    if (members.length === 0) continue;
    lines.push('', paint(1, titles[group]));
    for (const difference of members) {
      lines.push(`  ${difference.path}`);
      if (difference.missing !== undefined) lines.push(paint(31, `    ! missing: ${difference.missing}`));
      lines.push(...values(difference));
    }
  }
  function values({path, before: below, after: above, masked}: Difference): readonly string[] {
    if (masked && JSON.stringify(below) === JSON.stringify(above))
      return valueLines(path, below ?? null).map((line) => paint(33, `    ! not the same, and secret: ${line}`));
    return [...side('-', 31, path, below), ...side('+', 32, path, above)];
  }
  function side(sign: string, code: number, path: string, value: Json | undefined): readonly string[] {
    return value === undefined ? [] : valueLines(path, value).map((line) => paint(code, `    ${sign} ${line}`));
  }
  return `${lines.join('\n')}\n`;
}

/** Attributes that are printed as a number of bytes. */
const bytes = /\.(?:mem_limit|mem_reservation|memswap_limit|shm_size|memory)$/;

function valueLines(path: string, value: Json): readonly string[] {
  if (typeof value === 'string' && bytes.test(path) && /^\d+$/.test(value)) return [formatBytes(Number(value))];
  if (typeof value === 'string') return value.split('\n');
  const text = JSON.stringify(value);
  return text.length <= 100 ? [text] : JSON.stringify(value, null, 2).split('\n');
}
