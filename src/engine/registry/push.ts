import type {ImageProgress} from '../../api/types/image.ts';
import {skipBytes} from '../../base/byte-streams.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {TscomposeError} from '../../base/errors.ts';
import {type Channel, runWithProgress} from '../image/channel.ts';
import {formatPlatform, type Platform, parsePlatform} from '../image/platform.ts';
import {findPlatform} from '../image/platforms.ts';
import {listReferences, type ReferenceRecord} from '../image/record.ts';
import {familiarReference, formatReference, parseReference, type Reference} from '../image/reference.ts';
import type {ContentSession} from '../image/session.ts';
import type {TransferContext} from './bring-blob.ts';
import type {Connection} from './connection.ts';
import type {Credential} from './credential.ts';
import {provideManifest} from './provide-manifest.ts';
import {type PushTree, readPushTree} from './push-tree.ts';
import {pushManifest} from './referrers-tag.ts';
import {shortDigest, transferProgress} from './transfer-progress.ts';
import {uploadBlob} from './upload.ts';

export interface PushRequest {
  /** Without a tag. */
  readonly repository: string;
  /** Every tag of it that is here, where not given. */
  readonly tag?: string | undefined;
  /** Of an index only the image for this platform. */
  readonly platform?: string | undefined;
  readonly credential?: Credential | undefined;
}

/** Blobs that are sent at the same time. */
const uploadsMax = 5;

/**
 * Sends images to a registry: what it has is left out, what another repository of it has is taken over, manifests come
 * after what they name, an index after its images, the tag last. Throws `notFound` for an image that is not here.
 */
export function pushImage(
  context: TransferContext,
  request: PushRequest,
  signal?: AbortSignal,
): AsyncGenerator<ImageProgress> {
  return runWithProgress<ImageProgress>(async (channel, stopped) => {
    const known = await listReferences(context.images.layout);
    const wanted = findWanted(known, request);
    const [first] = wanted;
    if (first === undefined) throw notHere(request);
    const {registry, repository} = parseReference(first.reference);
    channel.push({status: `The push refers to repository [${registry}/${repository}]`});
    const connection = await onlyConnection(context, registry, request.credential);
    await using session = await context.session();
    const work = {context, session, connection, channel, signal: stopped, known, repository, registry};
    const platform = request.platform ? parsePlatform(request.platform) : undefined;
    for (const record of wanted) await pushOne(work, record, platform);
  }, signal);
}

function findWanted(known: readonly ReferenceRecord[], {repository, tag}: PushRequest): readonly ReferenceRecord[] {
  const asked = parseReference(tag === undefined || tag === '' ? repository : `${repository}:${tag}`);
  if (asked.digest !== undefined) throw new TscomposeError('invalid', 'cannot push a digest reference');
  if (tag !== undefined && tag !== '') return known.filter(({reference}) => reference === formatReference(asked));
  return known
    .filter(({reference}) => {
      const other = parseReference(reference);
      return sameRepository(other, asked) && other.digest === undefined;
    })
    .sort((a, b) => (a.reference < b.reference ? -1 : 1));
}

function sameRepository(a: Reference, b: Reference): boolean {
  return a.registry === b.registry && a.repository === b.repository;
}

/** In Docker's words. */
function notHere({repository}: PushRequest): TscomposeError {
  return new TscomposeError('notFound', `An image does not exist locally with the tag: ${repository}`);
}

async function onlyConnection(
  {registries}: TransferContext,
  registry: string,
  credential: Credential | undefined,
): Promise<Connection> {
  const [connection] = await registries.connections(registry, 'push', credential);
  if (connection === undefined) throw new TscomposeError('internal', `registry ${registry} has no address`);
  return connection;
}

interface PushWork {
  readonly context: TransferContext;
  readonly session: ContentSession;
  readonly connection: Connection;
  readonly channel: Channel<ImageProgress>;
  readonly signal: AbortSignal;
  readonly known: readonly ReferenceRecord[];
  readonly registry: string;
  readonly repository: string;
}

async function pushOne(work: PushWork, record: ReferenceRecord, platform: Platform | undefined): Promise<void> {
  const {connection, repository, channel, signal} = work;
  const tag = parseReference(record.reference).tag ?? 'latest';
  const tree = await chooseTree(work, record, platform);
  await pushBlobs(work, tree.blobs);
  for (const manifest of tree.children) {
    await pushManifest(connection, {repository, reference: manifest.digest, manifest, signal});
  }
  await pushManifest(connection, {repository, reference: tag, manifest: tree.root, signal});
  const {digest, bytes, mediaType} = tree.root;
  // So that other repositories of the registry take over from this one what they need.
  if (record.target === undefined && platform === undefined)
    await work.session.addTarget(record, {mediaType, digest, size: bytes.length});
  await work.context.images.events.append({
    type: 'image',
    action: 'push',
    id: familiarReference(record.reference),
    attributes: {name: familiarReference(`${work.registry}/${repository}`)},
  });
  channel.push({status: `${tag}: digest: ${digest} size: ${bytes.length}`});
  channel.push({progressDetail: {}, aux: {Tag: tag, Digest: digest, Size: bytes.length}});
}

/** What a name stands for; of an index that is not here whole, or of one platform that is asked for, only an image. */
async function chooseTree(work: PushWork, record: ReferenceRecord, platform: Platform | undefined): Promise<PushTree> {
  const {session, channel} = work;
  const name = familiarReference(record.reference);
  const {image} = await findPlatform(work.context.images, name, platform);
  if (platform === undefined && (await session.findImage(image.id)) === undefined)
    throw new TscomposeError('notFound', `No such image: ${name}`);
  const target = platform === undefined ? (record.target?.digest ?? image.manifest) : image.manifest;
  const whole = target === undefined ? undefined : await readPushTree(session, target);
  if (whole !== undefined) return whole;
  const own = image.manifest === undefined ? undefined : await readPushTree(session, image.manifest);
  if (own === undefined) return await provideManifest(work, record, image);
  if (target !== image.manifest) {
    channel.push({
      status: `Not all platforms of ${name} are here: only ${formatPlatform(image)} is pushed (pull it with --all-platforms to push all)`,
    });
  }
  return own;
}

async function pushBlobs(work: PushWork, blobs: PushTree['blobs']): Promise<void> {
  const {connection, repository, channel, context, session} = work;
  const stop = new AbortController();
  const signal = AbortSignal.any([work.signal, stop.signal]);
  for (const {digest} of blobs) channel.push({status: 'Preparing', progressDetail: {}, id: shortDigest(digest)});
  let cause: {readonly error: unknown} | undefined;
  await mapLimited(blobs, uploadsMax, async (descriptor) => {
    if (cause !== undefined) return;
    try {
      signal.throwIfAborted();
      const {digest, size} = descriptor;
      const progress = transferProgress(channel, shortDigest(digest), context.images.now);
      const source = await session.find(digest);
      if (source === undefined) throw new TscomposeError('internal', `blob ${digest} is gone`);
      const mountFrom = await findMount(work, digest);
      const outcome = await uploadBlob(connection, {
        ...{repository, descriptor, mountFrom, signal},
        read: (from) => skipBytes(source.read(signal), from),
        onProgress: (bytes) => progress.at('Pushing', bytes, size),
        onRetry: ({message}) => progress.say(`Retrying: ${message}`),
      });
      progress.say({exists: 'Layer already exists', mounted: `Mounted from ${mountFrom}`, uploaded: 'Pushed'}[outcome]);
    } catch (error) {
      // The first failure ends the others; all are waited for.
      cause ??= {error};
      stop.abort();
    }
  });
  work.signal.throwIfAborted();
  if (cause !== undefined) throw cause.error;
}

/** A repository of the same registry that, as far as is known here, has the blob. */
async function findMount(
  {known, registry, repository, session}: PushWork,
  digest: string,
): Promise<string | undefined> {
  for (const record of known) {
    const other = parseReference(record.reference);
    if (other.registry !== registry || other.repository === repository || record.target === undefined) continue;
    const image = await session.findImage(record.image);
    if (image?.id === digest || image?.layers.some(({blob}) => blob === digest)) return other.repository;
  }
  return undefined;
}
