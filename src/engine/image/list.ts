import {stat} from 'node:fs/promises';
import {checkFilters, knownFilters, matchesLabels} from '../../api/filters.ts';
import type {ImageInspect, ImageSummary} from '../../api/types/image.ts';
import type {Filters} from '../../api/types/system.ts';
import {TscomposeError} from '../../base/errors.ts';
import {parseNanoseconds} from '../clock.ts';
import type {ImageContext} from './context.ts';
import {readConfiguration} from './find.ts';
import {hostImage} from './host-image.ts';
import {type ImageRecord, listImages, listReferences, type ReferenceRecord} from './record.ts';
import {familiarReference} from './reference.ts';

/** An image as inspect answers it. */
export async function describeImage(
  context: ImageContext,
  image: ImageRecord,
  references: readonly ReferenceRecord[],
): Promise<ImageInspect> {
  const {config, author = '', comment = ''} = await readConfiguration(context, image);
  const own = references.filter((reference) => reference.image === image.id);
  const names = own.map(({reference}) => familiarReference(reference)).filter((name) => !name.includes('@'));
  return {
    Id: image.id,
    RepoTags: names.sort(),
    RepoDigests: digestsOf(own, image),
    ...(await lastTagged(context, own)),
    Created: image.created,
    Architecture: image.architecture,
    ...(image.variant === undefined ? {} : {Variant: image.variant}),
    Author: author,
    Comment: comment,
    Os: image.os,
    Size: sizeOf(image),
    Config: {...noConfig, ...config},
    RootFS: {Type: 'layers', Layers: image.layers.map(({diffId}) => diffId)},
  };
}

/** Members that clients expect to be there, as Docker fills them in. */
const noConfig = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: '',
  Volumes: null,
  WorkingDir: '',
} as const;

/** A name's record is written anew whenever it is given. */
async function lastTagged(
  {layout}: ImageContext,
  references: readonly ReferenceRecord[],
): Promise<Pick<ImageInspect, 'Metadata'>> {
  const times = await Promise.all(
    references.map(({reference}) =>
      stat(layout.images.reference(reference)).then(
        ({mtimeMs}) => mtimeMs,
        () => 0,
      ),
    ),
  );
  const last = Math.max(0, ...times);
  return last === 0 ? {} : {Metadata: {LastTagTime: new Date(last).toISOString()}};
}

/** What the image can be asked for by: the digest of what each of its names stands for, an index or its own manifest. */
function digestsOf(references: readonly ReferenceRecord[], {manifest}: ImageRecord): readonly string[] {
  const digests = references.flatMap(({reference, target}) => {
    const name = familiarReference(reference);
    if (name.includes('@')) return [name];
    const digest = target?.digest ?? manifest;
    return digest === undefined ? [] : [`${repositoryOf(name)}@${digest}`];
  });
  return [...new Set(digests)].sort();
}

function repositoryOf(name: string): string {
  return name.slice(0, name.lastIndexOf(':'));
}

function sizeOf({layers}: ImageRecord): number {
  return layers.reduce((sum, {bytes}) => sum + bytes, 0);
}

/** Newest first. Throws `invalid` for a filter that does not exist. */
export async function listSummaries(context: ImageContext, filters: Filters = {}): Promise<ImageSummary[]> {
  checkFilters(filters, knownFilters.images);
  const [images, references] = await Promise.all([listImages(context.layout), listReferences(context.layout)]);
  const described = await Promise.all(images.map((image) => describeImage(context, image, references)));
  const all = [...described, hostImage(context.architecture)];
  const wanted = all.filter((image) => matches(image, filters, all));
  return wanted.map((image) => summary(image, filters)).sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
}

function createdSeconds({Created}: ImageInspect): number {
  const nanoseconds = parseNanoseconds(Created);
  return nanoseconds === undefined ? 0 : Number(nanoseconds / 1_000_000_000n);
}

function summary(image: ImageInspect, filters: Filters): ImageSummary {
  const patterns = filters['reference'] ?? [];
  return {
    Id: image.Id,
    ParentId: '',
    RepoTags:
      patterns.length === 0
        ? image.RepoTags
        : image.RepoTags.filter((name) => patterns.some((pattern) => nameMatches(name, pattern))),
    RepoDigests: image.RepoDigests,
    Created: createdSeconds(image),
    Size: image.Size,
    SharedSize: -1,
    Containers: -1,
    Labels: image.Config.Labels ?? null,
  };
}

/** Values of one key are alternatives; of `label` all must hold. */
function matches(image: ImageInspect, filters: Filters, all: readonly ImageInspect[]): boolean {
  return Object.entries(filters).every(([key, values]) => {
    if (key === 'label') return matchesLabels(image.Config.Labels, values);
    return values.length === 0 || values.some((value) => matchesOne(image, key, value, all));
  });
}

function matchesOne(image: ImageInspect, key: string, value: string, all: readonly ImageInspect[]): boolean {
  switch (key) {
    case 'reference':
      return image.RepoTags.some((name) => nameMatches(name, value));
    case 'dangling':
      return (image.RepoTags.length + image.RepoDigests.length === 0) === ['true', '1'].includes(value);
    case 'until':
      return createdSeconds(image) < untilSeconds(value);
    case 'before':
      return createdSeconds(image) < createdSeconds(named(all, value));
    default:
      return createdSeconds(image) > createdSeconds(named(all, value));
  }
}

function untilSeconds(value: string): number {
  const nanoseconds = parseNanoseconds(value);
  if (nanoseconds !== undefined) return Number(nanoseconds / 1_000_000_000n);
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  throw new TscomposeError('invalid', `invalid filter 'until=${value}': neither RFC 3339 nor Unix seconds`);
}

function named(all: readonly ImageInspect[], name: string): ImageInspect {
  const found = all.find(
    ({Id, RepoTags}) =>
      RepoTags.includes(name) || RepoTags.includes(`${name}:latest`) || Id === name || Id.startsWith(`sha256:${name}`),
  );
  if (found) return found;
  throw new TscomposeError('notFound', `No such image: ${name}`);
}

/** Shell patterns on the familiar name, with or without its tag (Go's path.Match: `*` and `?` stop at a slash). */
function nameMatches(name: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  const expression = new RegExp(`^${source}$`);
  return expression.test(name) || expression.test(repositoryOf(name));
}
