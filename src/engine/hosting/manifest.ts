import {TscomposeError} from '../../base/errors.ts';
import {isObject} from '../image/configuration.ts';
import {indexTypes, manifestTypes} from '../image/descriptors.ts';
import {digestOf, parseAnyDigest} from './digest.ts';

/** What a registry has to know of a manifest that is pushed: which content it needs, and what it is about. */
export interface ReadManifest {
  readonly mediaType: string;
  /** Blobs that have to be in the repository. */
  readonly blobs: readonly string[];
  /** Blobs that may be: foreign layers, and what stands in the manifest itself. */
  readonly optionalBlobs: readonly string[];
  /** Manifests that have to be in the repository. */
  readonly manifests: readonly string[];
  readonly subject?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** More than any image has: each is looked for on disk. */
const referencesMax = 10_000;
const schema1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;
/** What indexes name that are caches of BuildKit's older kind: layers, and a list of results. */
const cacheContent = /^application\/vnd\.(?:oci\.image\.layer\.|docker\.image\.rootfs\.diff\.|buildkit\.cacheconfig\.)/;
const foreignLayer = /nondistributable|\.foreign\./;

/**
 * Reads a manifest as it is pushed. Images and indexes are read as their specifications say; of another kind of JSON
 * whatever looks like a descriptor where images have theirs. Throws `invalid`.
 */
export function readManifest(bytes: Uint8Array, sentAs: string | undefined): ReadManifest {
  const value = parse(bytes);
  const says = value['mediaType'];
  if (says !== undefined && typeof says !== 'string') throw wrong('its mediaType is not a text');
  const mediaType = sentAs ?? says ?? '';
  if (says !== undefined && says !== mediaType) throw wrong(`it is sent as ${mediaType}, and calls itself ${says}`);
  if (mediaType === '') throw wrong('neither the request nor the manifest tells its media type');
  if (schema1.test(mediaType) || 'fsLayers' in value) throw wrong('it has the old schema 1, which is not supported');
  const [isImage, isIndex] = [manifestTypes.includes(mediaType), indexTypes.includes(mediaType)];
  if (isImage || isIndex) checkKind(value, isIndex);
  const config = value['config'] === undefined ? [] : [readDescriptor(value['config'], 'config')];
  const named = descriptors(value, 'manifests');
  const manifests = named.filter(({mediaType}) => !cacheContent.test(mediaType));
  const layers = [
    ...[...descriptors(value, 'layers'), ...descriptors(value, 'blobs')],
    ...named.filter(({mediaType}) => cacheContent.test(mediaType)),
  ];
  const subject = isObject(value['subject']) ? readDescriptor(value['subject'], 'subject') : undefined;
  const blobs = [...config, ...layers];
  if (blobs.length + manifests.length > referencesMax) throw wrong(`it names more than ${referencesMax} things`);
  const isOptional = (descriptor: Described) => descriptor.isInline || foreignLayer.test(descriptor.mediaType);
  const digests = (list: readonly Described[]) => [...new Set(list.map(({digest}) => digest))];
  const artifactType = textIn(value, 'artifactType') || (isImage ? config[0]?.mediaType : undefined);
  return {
    mediaType,
    blobs: digests(blobs.filter((descriptor) => !isOptional(descriptor))),
    optionalBlobs: digests(blobs.filter(isOptional)),
    manifests: digests(manifests),
    ...(subject === undefined ? {} : {subject: subject.digest}),
    ...(artifactType ? {artifactType} : {}),
    ...(isObject(value['annotations']) ? {annotations: value['annotations']} : {}),
  };
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
  } catch {
    throw wrong('it is not JSON');
  }
  if (isObject(value)) return value;
  throw wrong('it is not a JSON object');
}

/** What a checker saw must be what is used (CVE-2021-41190). */
function checkKind(value: Readonly<Record<string, unknown>>, isIndex: boolean): void {
  if (value['schemaVersion'] !== 2) throw wrong('its schemaVersion is not 2');
  const [own, other] = isIndex ? (['manifests', ['layers', 'config']] as const) : (['config', ['manifests']] as const);
  if (value[own] === undefined) throw wrong(`it has no "${own}"`);
  const strange = other.find((member) => value[member] !== undefined);
  if (strange !== undefined) throw wrong(`an ${isIndex ? 'index' : 'image'} has no "${strange}"`);
}

interface Described {
  readonly mediaType: string;
  readonly digest: string;
  /** Its content stands in the descriptor. */
  readonly isInline: boolean;
}

function descriptors(value: Readonly<Record<string, unknown>>, member: string): readonly Described[] {
  const list = value[member];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw wrong(`its "${member}" is not a list`);
  return list.map((item: unknown, index) => readDescriptor(item, `${member}[${index}]`));
}

function readDescriptor(value: unknown, place: string): Described {
  const {digest, size, mediaType, data} = isObject(value) ? value : {};
  const parsed = typeof digest === 'string' ? parseAnyDigest(digest) : undefined;
  if (typeof digest !== 'string' || parsed === undefined) {
    throw wrong(`its "${place}" has no digest by sha256 or sha512`);
  }
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw wrong(`its "${place}" has no size`);
  if (data !== undefined) {
    const content = typeof data === 'string' ? Buffer.from(data, 'base64') : undefined;
    if (content === undefined || content.length !== size || digestOf(content, parsed.algorithm) !== digest) {
      throw wrong(`the data of its "${place}" is not what its digest and size say`);
    }
  }
  return {mediaType: typeof mediaType === 'string' ? mediaType : '', digest, isInline: data !== undefined};
}

function textIn(value: Readonly<Record<string, unknown>>, member: string): string | undefined {
  const found = value[member];
  return typeof found === 'string' ? found : undefined;
}

function wrong(reason: string): TscomposeError {
  return new TscomposeError('invalid', `the manifest is not valid: ${reason}`);
}
