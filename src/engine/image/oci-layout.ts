import {TscomposeError} from '../../base/errors.ts';
import type {ArchiveFiles} from './archive.ts';
import type {StagedBlob} from './blobs.ts';
import {parseJson} from './configuration.ts';
import {
  attestedManifest,
  checkShape,
  type Descriptor,
  depthMax,
  isImageDescriptor,
  isManifestType,
  manifestTypes,
  namedBy,
  parseDescriptor,
} from './descriptors.ts';
import {type Candidate, readStaged} from './docker-archive.ts';
import {bestPlatform, formatPlatform, type Platform} from './platform.ts';
import type {TargetDescriptor} from './record.ts';
import {isDigest, normaliseReference} from './reference.ts';

const configurationTypes = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/**
 * An OCI image layout (image-layout.md): of an index's platforms the one that fits is taken, and the others come with it unless
 * it `isOnly` that one. Undefined for another archive.
 */
export async function readOciLayout(
  files: ArchiveFiles,
  wanted: Platform,
  isOnly = false,
): Promise<readonly Candidate[] | undefined> {
  const index = await files.find('index.json');
  if (index === undefined || (await files.find('oci-layout')) === undefined) return undefined;
  const descriptors = await readIndex(index, 'index.json');
  const candidates: Candidate[] = [];
  for (const {names, choices} of groupByName(descriptors)) {
    const found = await choose(files, choices, wanted, 0);
    if (found === undefined) continue;
    const references = names.map(normaliseReference);
    const [target, ...more] = choices;
    // Several of one name are platforms without an index of their own: the one that was taken stands for itself.
    if (target === undefined || more.length > 0) candidates.push({...found, references});
    else {
      const others = await gather(files, target, isOnly ? found.manifest?.digest : undefined);
      candidates.push({...found, references, target: targetOf(target), others});
    }
  }
  return candidates;
}

/** One image of a layout, without a name. Throws `notFound`, `invalid`. */
export async function readLayoutImage(
  files: ArchiveFiles,
  {tag, digest, shown}: {readonly tag: string | undefined; readonly digest: string | undefined; readonly shown: string},
  wanted: Platform,
): Promise<Candidate> {
  const index = await files.find('index.json');
  if (index === undefined) throw new TscomposeError('notFound', `${shown} is no OCI layout: it has no index.json`);
  const images = (await readIndex(index, 'index.json')).filter(isImageDescriptor);
  const choices =
    digest === undefined
      ? images.filter((image) => isTagged(image, tag ?? 'latest'))
      : images.filter((image) => image.digest === digest);
  // A layout with one image needs no tag.
  const only = tag === undefined && digest === undefined && choices.length === 0 && images.length === 1;
  const found = await choose(files, only ? images : choices, wanted, 0);
  if (found !== undefined) return found;
  const names = images.map((image) => nameOf(image) ?? image.digest).join(', ');
  throw new TscomposeError('notFound', `${shown} has no image "${digest ?? tag ?? 'latest'}"`, {
    hint: names === '' ? undefined : `it has ${names}`,
  });
}

/** A layout has names of its own, which are tags, or whole ones. */
function isTagged({annotations}: Descriptor, tag: string): boolean {
  const name = annotations['org.opencontainers.image.ref.name'];
  return typeof name === 'string' && (name === tag || name.endsWith(`:${tag}`));
}

/** Manifests of one name are platforms of one image; each without a name is an image of its own. */
function groupByName(
  descriptors: readonly Descriptor[],
): readonly {readonly names: readonly string[]; readonly choices: readonly Descriptor[]}[] {
  const groups = new Map<string, Descriptor[]>();
  for (const descriptor of descriptors.filter(isImageDescriptor)) {
    const key = nameOf(descriptor) ?? descriptor.digest;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [descriptor]);
    else group.push(descriptor);
  }
  return [...groups].map(([name, choices]) => ({names: isDigest(name) ? [] : [name], choices}));
}

/** The full name as containerd writes it, else the layout's own reference name. */
function nameOf({annotations}: Descriptor): string | undefined {
  const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
  return typeof name === 'string' && name !== '' ? name : undefined;
}

async function choose(
  files: ArchiveFiles,
  choices: readonly Descriptor[],
  wanted: Platform,
  depth: number,
): Promise<Candidate | undefined> {
  if (depth === depthMax) throw tooDeep();
  const images = choices.filter(isImageDescriptor);
  const [only] = images;
  // A single image is taken whatever it is for: it may have no platform, or be wanted on purpose.
  const best = images.length === 1 ? only : pickPlatform(images, wanted);
  if (best === undefined) return undefined;
  const blob = await fetch(files, best);
  const value = parseJson(await readStaged(blob, best.digest), `manifest ${best.digest}`);
  checkShape(value, best);
  if (Array.isArray(value['manifests']))
    return await choose(files, await readIndex(blob, best.digest), wanted, depth + 1);
  return await readManifest(files, blob, best);
}

function targetOf({mediaType, digest, size}: Descriptor): TargetDescriptor {
  return {mediaType, digest, size};
}

/** Everything that an index leads to and that is there: platforms may have been left out. `only`: of images this one. */
async function gather(files: ArchiveFiles, root: Descriptor, only: string | undefined): Promise<readonly StagedBlob[]> {
  const isWanted = (descriptor: Descriptor) =>
    only === undefined ||
    !manifestTypes.includes(descriptor.mediaType) ||
    (attestedManifest(descriptor) ?? descriptor.digest) === only;
  const found = new Map<string, StagedBlob>();
  let level: readonly Descriptor[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax) throw tooDeep();
    const below: Descriptor[] = [];
    for (const descriptor of level) {
      // An index may name the same a thousand times, and that one the next.
      if (found.has(descriptor.digest)) continue;
      const blob = await files.find(pathOf(descriptor.digest));
      if (blob === undefined) continue;
      check(blob, descriptor);
      found.set(descriptor.digest, blob);
      if (isManifestType(descriptor.mediaType)) below.push(...(await readNamed(blob, descriptor)).filter(isWanted));
    }
    level = below;
  }
  return [...found.values()];
}

/** What nobody runs is only passed on: one that cannot be read names nothing. */
async function readNamed(blob: StagedBlob, {digest}: Descriptor): Promise<readonly Descriptor[]> {
  const bytes = await readStaged(blob, digest);
  try {
    return namedBy(parseJson(bytes, digest), digest);
  } catch {
    return [];
  }
}

function tooDeep(): TscomposeError {
  return new TscomposeError('invalid', 'the archive has indexes nested too deeply');
}

function pickPlatform(images: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  if (images.length === 0) return undefined;
  const best = bestPlatform(images, wanted);
  if (best) return best;
  const has = images.map(({platform}) => (platform ? formatPlatform(platform) : 'unknown')).join(', ');
  throw new TscomposeError('notFound', `no image for ${formatPlatform(wanted)} in the archive: it has ${has}`);
}

async function readManifest(files: ArchiveFiles, manifest: StagedBlob, descriptor: Descriptor): Promise<Candidate> {
  const what = `manifest ${descriptor.digest}`;
  const value = parseJson(await readStaged(manifest, descriptor.digest), what);
  const configuration = parseDescriptor(value['config'], what);
  if (!configurationTypes.has(configuration.mediaType)) {
    throw new TscomposeError('unsupported', `${what} is not a container image but ${configuration.mediaType}`);
  }
  const layers = Array.isArray(value['layers'])
    ? value['layers'].map((layer: unknown) => parseDescriptor(layer, what))
    : [];
  return {
    references: [],
    configuration: await fetch(files, configuration),
    layers: await Promise.all(layers.map((layer) => fetch(files, layer))),
    manifest,
  };
}

async function fetch(files: ArchiveFiles, descriptor: Descriptor): Promise<StagedBlob> {
  const blob = await files.find(pathOf(descriptor.digest));
  if (blob === undefined)
    throw new TscomposeError('invalid', `the archive lacks blob ${descriptor.digest}, which its manifest names`);
  check(blob, descriptor);
  return blob;
}

function pathOf(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function check(blob: StagedBlob, {digest, size}: Descriptor): void {
  if (blob.digest !== digest)
    throw new TscomposeError('invalid', `blob ${digest} is damaged: its content is ${blob.digest}`);
  if (blob.size !== size)
    throw new TscomposeError('invalid', `blob ${digest} is damaged: it has ${blob.size} bytes, not ${size}`);
}

async function readIndex(blob: StagedBlob, name: string): Promise<readonly Descriptor[]> {
  const value = parseJson(await readStaged(blob, name), `the archive's ${name}`);
  const manifests = value['manifests'];
  if (!Array.isArray(manifests)) throw new TscomposeError('invalid', `the archive's ${name} lists no manifests`);
  return manifests.map((item: unknown) => parseDescriptor(item, name));
}
