import type {BlobStore} from '../image/blobs.ts';
import {sniffCompression} from '../image/compression.ts';
import {parseJson} from '../image/configuration.ts';
import type {ImageContext} from '../image/context.ts';
import {reachableFrom, readSmallManifest} from '../image/descriptors.ts';
import {type LayerDescriptor, layerTypeOf, makeManifest} from '../image/made-manifest.ts';
import {type LayerRecord, listReferences, type ReferenceRecord, readImage, readReference} from '../image/record.ts';
import {localNames, repositoryOfLocal} from './names.ts';

/** A manifest, byte for byte. */
export interface ManifestBytes {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** Which of this machine's names are meant: the registry's own, or also those that only this machine knows. */
export interface LocalScope {
  readonly hosts: readonly string[];
  readonly all: boolean;
}

/** The images of this machine as repositories of a registry: nothing was pushed, and nothing is copied. */
export interface LocalImages {
  findTag(repository: string, tag: string, scope: LocalScope): Promise<ManifestBytes | undefined>;
  findManifest(repository: string, digest: string, scope: LocalScope): Promise<ManifestBytes | undefined>;
  /** Whether an image of the repository has it. */
  hasBlob(repository: string, digest: string, scope: LocalScope): Promise<boolean>;
  listTags(repository: string, scope: LocalScope): Promise<readonly string[]>;
  listRepositories(hosts: readonly string[]): Promise<readonly string[]>;
  /** Those of the given names without tags, with every tag. */
  listNames(names: readonly string[]): Promise<readonly ReferenceRecord[]>;
  /** What a name stands for: what was pulled or pushed, or what a push of it would send. */
  manifestOf(reference: ReferenceRecord): Promise<ManifestBytes | undefined>;
}

type LocalContext = Pick<ImageContext, 'layout'>;

export function createLocalImages({layout}: LocalContext, blobs: BlobStore): LocalImages {
  const namesOf = (repository: string, {hosts, all}: LocalScope): readonly string[] => {
    const {own, others} = localNames(repository, hosts);
    return all ? [...own, ...others] : own;
  };
  const listNames = async (names: readonly string[]): Promise<readonly ReferenceRecord[]> =>
    (await listReferences(layout)).filter(({reference}) => names.includes(withoutTag(reference)));
  const referencesOf = (repository: string, scope: LocalScope) => listNames(namesOf(repository, scope));

  return {
    listNames,
    manifestOf: (reference) => manifestOf({layout}, blobs, reference),

    async findTag(repository, tag, scope) {
      for (const name of namesOf(repository, scope)) {
        const reference = await readReference(layout, `${name}:${tag}`);
        const manifest = reference && (await manifestOf({layout}, blobs, reference));
        if (manifest) return manifest;
      }
      return undefined;
    },

    async findManifest(repository, digest, scope) {
      for (const reference of await referencesOf(repository, scope)) {
        const top = await manifestOf({layout}, blobs, reference);
        if (top?.digest === digest) return top;
        if (top && (await reachableFrom(blobs, top)).has(digest)) return await readStored(blobs, digest);
      }
      return undefined;
    },

    async hasBlob(repository, digest, scope) {
      for (const reference of await referencesOf(repository, scope)) {
        const image = await readImage(layout, reference.image);
        if (image && (image.id === digest || image.layers.some(({blob}) => blob === digest))) return true;
        const top = reference.target;
        if (top && (await reachableFrom(blobs, top)).has(digest)) return true;
      }
      return false;
    },

    async listTags(repository, scope) {
      return (await referencesOf(repository, scope)).map(({reference}) =>
        reference.slice(withoutTag(reference).length + 1),
      );
    },

    async listRepositories(hosts) {
      const names = (await listReferences(layout)).map(({reference}) =>
        repositoryOfLocal(withoutTag(reference), hosts),
      );
      return [...new Set(names.filter((name) => name !== undefined))];
    },
  };
}

function withoutTag(reference: string): string {
  return reference.slice(0, reference.lastIndexOf(':'));
}

async function manifestOf(
  {layout}: LocalContext,
  blobs: BlobStore,
  {target, image: id}: ReferenceRecord,
): Promise<ManifestBytes | undefined> {
  if (target) return await readStored(blobs, target.digest, target.mediaType);
  const image = await readImage(layout, id);
  if (image === undefined) return undefined;
  if (image.manifest !== undefined) return await readStored(blobs, image.manifest);
  const layers = await Promise.all(image.layers.map((layer) => describeLayer(blobs, layer)));
  return await makeManifest(blobs, id, layers);
}

/** Undefined for one that is not there (of an index not every platform has to be), or is no manifest. */
async function readStored(blobs: BlobStore, digest: string, mediaType?: string): Promise<ManifestBytes | undefined> {
  const bytes = await readSmallManifest(blobs, digest);
  if (bytes === undefined) return undefined;
  if (mediaType !== undefined) return {digest, mediaType, bytes};
  try {
    const value = parseJson(bytes, digest);
    const says = value['mediaType'];
    if (value['manifests'] === undefined && value['layers'] === undefined) return undefined;
    const kind = value['manifests'] === undefined ? 'manifest' : 'index';
    return {digest, mediaType: typeof says === 'string' ? says : `application/vnd.oci.image.${kind}.v1+json`, bytes};
  } catch {
    return undefined;
  }
}

/** What it has is offered as it is: nothing is compressed for whoever asks. */
async function describeLayer(blobs: BlobStore, {blob, made}: LayerRecord): Promise<LayerDescriptor> {
  if (made !== undefined) return {mediaType: layerTypeOf('none'), digest: blob, size: made};
  const {head, size} = await blobs.describe(blob);
  return {mediaType: layerTypeOf(sniffCompression(head)), digest: blob, size};
}
