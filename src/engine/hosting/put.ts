import {TscomposeError} from '../../base/errors.ts';
import type {ImageContext} from '../image/context.ts';
import {depthMax} from '../image/descriptors.ts';
import type {ContentSession} from '../image/session.ts';
import {digestOf, parseAnyDigest} from './digest.ts';
import type {ManifestBytes} from './local.ts';
import {type ReadManifest, readManifest} from './manifest.ts';
import {publish} from './publish.ts';
import type {HostedManifest, RepositoryRecords} from './records.ts';

/** A manifest as a client sends it. */
export interface PutManifest {
  readonly repository: string;
  readonly bytes: Uint8Array;
  /** What its sender calls it; undefined: what it calls itself. */
  readonly mediaType: string | undefined;
  /** Undefined: by SHA-256. */
  readonly digest: string | undefined;
  readonly tags: readonly string[];
  /** The registry's name, under which its tags become images of this machine. */
  readonly host: string;
}

export type PutResult =
  | {
      readonly kind: 'put';
      readonly digest: string;
      readonly subject: string | undefined;
      /** Why it cannot be run here, where it was tagged and cannot. */
      readonly notRunnable: string | undefined;
    }
  /** It is not what it was called. */
  | {readonly kind: 'wrong'; readonly found: string}
  /** What it names and the repository does not have. */
  | {readonly kind: 'missing'; readonly blobs: readonly string[]; readonly manifests: readonly string[]};

export interface PutContext {
  readonly context: ImageContext;
  readonly session: ContentSession;
  readonly records: RepositoryRecords;
  /** What the repository shows of this machine's images: clients do not send what is there. */
  readonly here: {
    hasBlob(digest: string): Promise<boolean>;
    findManifest(digest: string): Promise<ManifestBytes | undefined>;
  };
  readonly unpack: boolean;
  /** One after the other with whatever else changes the tag. */
  readonly alone: <T>(tag: string, work: () => Promise<T>) => Promise<T>;
}

/** Throws `invalid` for a manifest that is none. Its tags come last. */
export async function putManifest(put: PutContext, request: PutManifest, signal: AbortSignal): Promise<PutResult> {
  const {records} = put;
  const digest = digestOf(request.bytes, request.digest ? parseAnyDigest(request.digest)?.algorithm : 'sha256');
  if (request.digest !== undefined && request.digest !== digest) return {kind: 'wrong', found: digest};
  const read = readManifest(request.bytes, request.mediaType);
  const kept = await keep(put, {...request, digest, read}, 0);
  if (kept.kind === 'missing') return kept;
  const {manifest} = kept;
  let notRunnable: string | undefined;
  for (const tag of request.tags) {
    notRunnable = await put.alone(tag, async () => {
      await records.writeTag(tag, {v: 1, digest});
      if (!put.unpack) return undefined;
      const reference = `${request.host}/${request.repository}:${tag}`;
      const reason = await publish(put.context, put.session, {records, manifest, reference, signal});
      if (reason === undefined) await tagAsImage(records, tag, {digest, reference});
      return reason;
    });
  }
  return {kind: 'put', digest, subject: manifest.subject, notRunnable};
}

/** Unless a push to another process has taken the tag since. */
async function tagAsImage(
  records: RepositoryRecords,
  tag: string,
  {digest, reference}: {readonly digest: string; readonly reference: string},
): Promise<void> {
  if ((await records.readTag(tag))?.digest === digest) await records.writeTag(tag, {v: 1, digest, reference});
}

interface Keeping {
  readonly repository: string;
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly read: ReadManifest;
}

type Kept =
  | {readonly kind: 'kept'; readonly manifest: HostedManifest}
  | {readonly kind: 'missing'; readonly blobs: readonly string[]; readonly manifests: readonly string[]};

/** The record is written in the same breath as it is seen that all is there: nothing of it can be told to be garbage. */
async function keep(put: PutContext, {digest, bytes, read, repository}: Keeping, depth: number): Promise<Kept> {
  const {session, records} = put;
  const {digest: stored} = await session.addBlob(bytes);
  for (const blob of [...read.blobs, ...read.optionalBlobs]) await adoptBlob(put, blob);
  for (const manifest of read.manifests) await adoptManifest(put, {repository, digest: manifest}, depth);
  return await session.lease.hold({blobs: [stored]}, async (): Promise<Kept> => {
    const blobs = await absent(read.blobs, (blob) => hasBlob(put, blob));
    const manifests = await absent(read.manifests, async (child) => (await records.readManifest(child)) !== undefined);
    if (blobs.length > 0 || manifests.length > 0) return {kind: 'missing', blobs, manifests};
    const {subject, artifactType, annotations} = read;
    const manifest: HostedManifest = {
      ...{v: 1, digest, stored, mediaType: read.mediaType, size: bytes.length},
      blobs: [...read.blobs, ...read.optionalBlobs],
      ...(subject === undefined ? {} : {subject}),
      ...(artifactType === undefined ? {} : {artifactType}),
      ...(annotations === undefined ? {} : {annotations}),
    };
    await records.writeManifest(manifest);
    return {kind: 'kept', manifest};
  });
}

async function hasBlob({records, session}: PutContext, digest: string): Promise<boolean> {
  const stored = await records.findBlob(digest);
  if (stored === undefined) return false;
  return await session.blobs.describe(stored).then(
    () => true,
    () => false,
  );
}

async function absent(digests: readonly string[], isThere: (digest: string) => Promise<boolean>): Promise<string[]> {
  const missing: string[] = [];
  for (const digest of digests) if (!(await isThere(digest))) missing.push(digest);
  return missing;
}

/** A blob that the repository only shows becomes its own. One that is a layer's directory gets its archive. */
async function adoptBlob({session, records, here}: PutContext, digest: string): Promise<void> {
  if ((await records.findBlob(digest)) !== undefined || !(await here.hasBlob(digest))) return;
  const source = await session.find(digest);
  if (source === undefined) return;
  if (source.path === undefined) await session.addBlob(source.read());
  await linkBlob(session, records, {digest, stored: digest});
}

/** Not while garbage is told: what is named here is looked for before what leases hold. */
export async function linkBlob(
  {lease}: ContentSession,
  records: RepositoryRecords,
  {digest, stored}: {readonly digest: string; readonly stored: string},
): Promise<void> {
  await lease.hold({blobs: [stored]}, () => records.linkBlob(digest, stored));
}

async function adoptManifest(
  put: PutContext,
  {repository, digest}: Pick<Keeping, 'repository' | 'digest'>,
  depth: number,
): Promise<void> {
  if ((await put.records.readManifest(digest)) !== undefined) return;
  const found = await put.here.findManifest(digest);
  if (found === undefined) return;
  if (depth === depthMax)
    throw new TscomposeError('invalid', 'the manifest is not valid: indexes are nested too deeply');
  const read = readManifest(found.bytes, found.mediaType);
  await keep(put, {repository, digest, bytes: found.bytes, read}, depth + 1);
}
