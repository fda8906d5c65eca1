import {stat} from 'node:fs/promises';
import type {ImageInspect, ImageSummary} from '../../api/types/image.ts';
import type {Filters} from '../../api/types/system.ts';
import {parseNanoseconds} from '../clock.ts';
import type {ImageContext} from './context.ts';
import {findImage, readConfiguration} from './find.ts';
import {hostImage} from './host-image.ts';
import {type ListFilter, readListFilter} from './list-filter.ts';
import {listManifests} from './list-manifests.ts';
import {type ImageRecord, imagesOfName, listImages, listReferences, type ReferenceRecord} from './record.ts';
import {familiarReference} from './reference.ts';

/** An image as inspect answers it. */
export async function describeImage(
  context: ImageContext,
  image: ImageRecord,
  references: readonly ReferenceRecord[],
): Promise<ImageInspect> {
  const {config, forBuilds, author = '', comment = ''} = await readConfiguration(context, image);
  const own = references.filter((reference) => imagesOfName(reference).includes(image.id));
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
    Config: {...noConfig, ...config, ...forBuilds},
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

/** Newest first. Throws as {@link readListFilter}. */
export async function listSummaries(
  context: ImageContext,
  filters: Filters = {},
  {manifests = false}: {readonly manifests?: boolean} = {},
): Promise<ImageSummary[]> {
  const [images, references] = await Promise.all([listImages(context.layout), listReferences(context.layout)]);
  const host = hostImage(context.architecture);
  const filter = await readListFilter(filters, {
    now: context.now,
    find: async (name) =>
      host.RepoTags.includes(name) || `${name}:latest` === host.RepoTags[0]
        ? host
        : await describeImage(context, (await findImage(context, name)).image, references),
  });
  // A name has one row: its other platforms are told beside it.
  const beside = new Set(references.flatMap(({others = []}) => others));
  const main = new Set(references.map(({image}) => image));
  const listed = images.filter(({id}) => main.has(id) || !beside.has(id));
  const described = await Promise.all(
    listed.map((image) =>
      describeImage(
        context,
        image,
        references.filter((reference) => reference.image === image.id),
      ),
    ),
  );
  const found = [...described, host]
    .filter((image) => filter.matches(image))
    .map((image) => summary(image, filter))
    .sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
  if (!manifests) return found;
  const records = new Map(images.map((image) => [image.id, image]));
  return await Promise.all(
    found.map(async (image) => {
      const record = records.get(image.Id);
      const names = references.filter((reference) => reference.image === image.Id);
      return record ? {...image, Manifests: await listManifests(context, {image: record, names, records})} : image;
    }),
  );
}

function createdSeconds({Created}: ImageInspect): number {
  const nanoseconds = parseNanoseconds(Created);
  return nanoseconds === undefined ? 0 : Number(nanoseconds / 1_000_000_000n);
}

function summary(image: ImageInspect, filter: ListFilter): ImageSummary {
  return {
    Id: image.Id,
    ParentId: '',
    RepoTags: image.RepoTags.filter((name) => filter.isListed(name)),
    RepoDigests: image.RepoDigests.filter((name) => filter.isListed(name)),
    Created: createdSeconds(image),
    Size: image.Size,
    SharedSize: -1,
    Containers: -1,
    Labels: image.Config.Labels ?? null,
  };
}
