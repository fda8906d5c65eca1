import {createHash} from 'node:crypto';
import {TscomposeError} from '../../base/errors.ts';
import {parseJson} from '../image/configuration.ts';
import {type Descriptor, manifestMax, parseDescriptor} from '../image/descriptors.ts';
import {isDigest} from '../image/reference.ts';
import type {Connection} from './connection.ts';
import {readBody} from './read-body.ts';
import {errorOfResponse} from './status.ts';

/** A manifest as it came, byte for byte. */
export interface Manifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: string;
  readonly content:
    | {readonly kind: 'image'; readonly config: Descriptor; readonly layers: readonly Descriptor[]}
    | {readonly kind: 'index'; readonly manifests: readonly Descriptor[]};
}

const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  schema1: 'application/vnd.docker.distribution.manifest.v1+json',
  schema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

/** Everything, the old ones too: a registry that has nothing else then says what it has. */
const accept = Object.values(mediaTypes).join(', ');

const manifestsMax = 1000;
const layersMax = 1000;

export interface ManifestRequest {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  readonly signal: AbortSignal;
}

function requestFor({repository, reference, signal}: ManifestRequest) {
  return {
    target: `/v2/${repository}/manifests/${reference}`,
    scopes: [`repository:${repository}:pull`],
    headers: {accept},
    signal,
  };
}

/** What a tag points to, without the content: undefined where there is none, or the registry does not say. */
export async function headManifest(
  connection: Connection,
  request: ManifestRequest,
): Promise<{readonly digest: string; readonly mediaType: string; readonly size: number} | undefined> {
  const response = await connection.send({method: 'HEAD', ...requestFor(request)});
  response.discard();
  const digest = response.headers['docker-content-digest'];
  const size = Number(response.headers['content-length']);
  if (response.status !== 200 || digest === undefined || !isDigest(digest) || !Number.isSafeInteger(size)) {
    return undefined;
  }
  return {digest, mediaType: essence(response.headers['content-type']), size};
}

/** Throws `notFound`, `unauthorized`, `invalid` for content that is not what was asked for. */
export async function fetchManifest(connection: Connection, request: ManifestRequest): Promise<Manifest> {
  const {reference, repository} = request;
  const what = `manifest ${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
  const response = await connection.send({method: 'GET', ...requestFor(request)});
  const {registry} = connection.endpoint;
  if (response.status !== 200) throw await errorOfResponse(response, {what, registry});
  const bytes = await readBody(response, manifestMax, what);
  const digest = digestOf(bytes);
  const promised = isDigest(reference) ? reference : response.headers['docker-content-digest'];
  if (promised !== undefined && promised !== digest) {
    throw new TscomposeError('invalid', `registry ${registry}: ${what} is not what it says: its content is ${digest}`);
  }
  return parseManifest(bytes, essence(response.headers['content-type']), `registry ${registry}: ${what}`);
}

/** A media type without its parameters. */
function essence(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * Reads a manifest. What it is called by its sender, what it calls itself and what it looks like must be one thing: what a
 * checker saw must be what is used (CVE-2021-41190). Throws `invalid`, `unsupported`.
 */
export function parseManifest(bytes: Buffer, sentAs: string, what: string): Manifest {
  const value = parseJson(bytes, what);
  const says = value['mediaType'];
  const hasIndex = 'manifests' in value;
  const hasImage = 'layers' in value || 'config' in value;
  if ('fsLayers' in value || sentAs === mediaTypes.schema1 || sentAs === mediaTypes.schema1Signed) {
    throw new TscomposeError('unsupported', `${what} has the old schema 1, which is not supported`, {
      hint: 'push the image again with a newer client',
    });
  }
  if (hasIndex === hasImage) throw new TscomposeError('invalid', `${what} is neither an image nor an index`);
  if (says !== undefined && typeof says !== 'string') {
    throw new TscomposeError('invalid', `${what}: its media type is not a text`);
  }
  const known = Object.values<string>(mediaTypes).includes(sentAs) ? sentAs : undefined;
  if (says !== undefined && known !== undefined && says !== known) {
    throw new TscomposeError('invalid', `${what} is sent as ${sentAs}, and calls itself ${says}`);
  }
  const mediaType = says ?? known ?? (hasIndex ? mediaTypes.ociIndex : mediaTypes.ociManifest);
  const isIndex = mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList;
  const isImage = mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
  if (!isIndex && !isImage) throw new TscomposeError('unsupported', `${what} is of type ${mediaType}, not an image`);
  if (isIndex !== hasIndex) throw new TscomposeError('invalid', `${what} is not of its type ${mediaType}`);
  return {
    bytes,
    mediaType,
    digest: digestOf(bytes),
    content: isIndex
      ? {kind: 'index', manifests: descriptors(value['manifests'], manifestsMax, `${what}: manifests`)}
      : {
          kind: 'image',
          config: parseDescriptor(value['config'], `${what}: config`),
          layers: descriptors(value['layers'], layersMax, `${what}: layers`),
        },
  };
}

function descriptors(value: unknown, most: number, what: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw new TscomposeError('invalid', `${what} is not a list`);
  if (value.length > most) throw new TscomposeError('invalid', `${what} has more than ${most} entries`);
  return value.map((item: unknown, index) => parseDescriptor(item, `${what}[${index}]`));
}
