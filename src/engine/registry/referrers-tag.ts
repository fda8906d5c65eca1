import {hasKind, TscomposeError} from '../../base/errors.ts';
import {isObject, parseJson} from '../image/configuration.ts';
import {manifestMax} from '../image/descriptors.ts';
import type {Connection} from './connection.ts';
import {digestOf, fetchManifest, type Manifest} from './manifest.ts';
import {putManifest} from './put-manifest.ts';

export const indexType = 'application/vnd.oci.image.index.v1+json';

/** The tag that stands for the list of what is about a manifest, where a registry has no such lists. */
export function referrersTag(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`.replace(/[^A-Za-z0-9._-]/g, '-');
}

interface Pushing {
  readonly repository: string;
  readonly reference: string;
  readonly manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>;
  readonly signal: AbortSignal;
}

/**
 * Stores a manifest. Where it is about another one and the registry does not list it there by itself, the list under that tag
 * gets it (OCI distribution specification, "Pushing Manifests with Subject").
 */
export async function pushManifest(connection: Connection, pushing: Pushing): Promise<void> {
  const {isListed} = await putManifest(connection, pushing);
  const entry = isListed ? undefined : entryOf(pushing.manifest);
  if (entry !== undefined) await addToList(connection, pushing, entry);
}

/** As it stands in a list of referrers. */
interface Entry {
  readonly subject: string;
  readonly descriptor: Readonly<Record<string, unknown>> & {readonly digest: string};
}

function entryOf({bytes, mediaType, digest}: Pushing['manifest']): Entry | undefined {
  const {subject, artifactType, config, annotations} = parseJson(bytes, `manifest ${digest}`);
  const about = isObject(subject) ? subject['digest'] : undefined;
  if (typeof about !== 'string') return undefined;
  const type = artifactType ?? (isObject(config) ? config['mediaType'] : undefined);
  return {
    subject: about,
    descriptor: {
      ...{mediaType, digest, size: bytes.length},
      ...(typeof type === 'string' && {artifactType: type}),
      ...(isObject(annotations) && {annotations}),
    },
  };
}

/** Lists that are written at the same moment overwrite each other: so often in a row nobody is that unlucky. */
const attempts = 5;

async function addToList(connection: Connection, pushing: Pushing, {subject, descriptor}: Entry): Promise<void> {
  const {repository, signal} = pushing;
  const tag = referrersTag(subject);
  // The last look is at what was written.
  for (let attempt = 0; attempt <= attempts; attempt += 1) {
    const listed = await readList(connection, {repository, tag, signal});
    if (listed.some((item) => isObject(item) && item['digest'] === descriptor.digest)) return;
    if (attempt === attempts) break;
    const manifests = [...listed, descriptor];
    const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: indexType, manifests}));
    if (bytes.length > manifestMax) throw notListed(connection, pushing, tag, 'is full');
    const manifest = {bytes, mediaType: indexType, digest: digestOf(bytes)};
    await putManifest(connection, {repository, reference: tag, manifest, signal});
  }
  throw notListed(connection, pushing, tag, 'is written by others all the time');
}

/** The entries as they are: what is not known of them stays. */
async function readList(
  connection: Connection,
  {repository, tag, signal}: {readonly repository: string; readonly tag: string; readonly signal: AbortSignal},
): Promise<readonly unknown[]> {
  const found = await fetchManifest(connection, {repository, reference: tag, signal}).catch((error: unknown) => {
    if (hasKind(error, 'notFound')) return undefined;
    throw error;
  });
  if (found === undefined) return [];
  const {manifests} = parseJson(found.bytes, `manifest ${repository}:${tag}`);
  if (found.mediaType === indexType && Array.isArray(manifests)) return manifests;
  const {registry} = connection.endpoint;
  throw new TscomposeError('invalid', `registry ${registry}: ${repository}:${tag} is no list of referrers`, {
    hint: 'the manifest itself was pushed; remove that tag and push it again',
  });
}

function notListed(
  {endpoint: {registry}}: Connection,
  {repository, manifest}: Pushing,
  tag: string,
  reason: string,
): TscomposeError {
  const message = `registry ${registry}: manifest ${manifest.digest} was pushed and not listed: ${repository}:${tag} ${reason}`;
  return new TscomposeError('conflict', message, {hint: 'push it again'});
}
