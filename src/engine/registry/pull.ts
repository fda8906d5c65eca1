import type {ImageProgress} from '../../api/types/image.ts';
import {createLimiter} from '../../base/concurrency.ts';
import {hasKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {runWithProgress} from '../image/channel.ts';
import {parseConfiguration} from '../image/configuration.ts';
import type {Descriptor} from '../image/descriptors.ts';
import {refuseHostReference} from '../image/host-image.ts';
import {machinePlatform, parsePlatform} from '../image/platform.ts';
import {findPlatform} from '../image/platforms.ts';
import {pullPin, readReference, touchReference} from '../image/record.ts';
import {familiarReference, formatReference, parseReference, type Reference} from '../image/reference.ts';
import type {ContentSession} from '../image/session.ts';
import {bringBeside, fetchBeside} from './beside.ts';
import {bringBlob, downloadsMax, type OnePull, type PullWork, type TransferContext} from './bring-blob.ts';
import type {Credential} from './credential.ts';
import {laterBlob} from './later-blob.ts';
import {headManifest} from './manifest.ts';
import {readPushTree} from './push-tree.ts';
import {firstThatAnswers} from './registries.ts';
import {type Resolved, resolveImage} from './resolve.ts';
import {smallBlobMax} from './small-blob.ts';
import {listTags} from './tags.ts';
import {shortDigest, transferProgress} from './transfer-progress.ts';

export interface PullRequest {
  /** Normalised: a name whose index `reference` is, by its digest. It gets the image beside what it stands for. */
  readonly beside?: string | undefined;
  /** As people write it, with a tag or digest. */
  readonly reference: string;
  /** Every tag of the repository, in place of one. */
  readonly allTags?: boolean;
  /** `linux/arm64`; this machine's where not given. */
  readonly platform?: string | undefined;
  /** All that an index leads to is brought and kept; the one platform is unpacked. */
  readonly allPlatforms?: boolean | undefined;
  readonly credential?: Credential | undefined;
}

/**
 * Brings an image into the store: configuration and layers at the same time, each layer unpacked while it comes. What has
 * come stays when it is interrupted: the next pull goes on from there. Throws `notFound`, `unauthorized`, `invalid` for
 * content that is not what it should be, and what connections throw.
 */
export function pullImage(
  context: TransferContext,
  request: PullRequest,
  signal?: AbortSignal,
): AsyncGenerator<ImageProgress> {
  return runWithProgress<ImageProgress>(async (channel, stopped) => {
    const reference = parseReference(request.reference);
    refuseHostReference(formatReference(reference));
    const platform = request.platform ? parsePlatform(request.platform) : machinePlatform(context.images.architecture);
    const connections = await context.registries.connections(reference.registry, 'pull', request.credential);
    const {allPlatforms = false, beside} = request;
    const work = {context, connections, platform, allPlatforms, beside, channel, signal: stopped};
    const pull = async (one: Reference) => {
      await pullOne(work, one);
      if (request.platform) await warnOfPlatform(work, one);
    };
    if (request.allTags !== true) return await pull(reference);
    const {registry, repository} = reference;
    const tags = await firstThatAnswers(connections, (connection) => listTags(connection, repository, stopped));
    for (const tag of tags.value) await pull({registry, repository, tag});
  }, signal);
}

/** What is one image alone comes for whatever platform it is, with a word of warning, as with Docker (image_pull.go). */
async function warnOfPlatform({context, channel, platform}: PullWork, reference: Reference): Promise<void> {
  try {
    await findPlatform(context.images, familiarReference(formatReference(reference)), platform);
  } catch (error) {
    if (!hasKind(error, 'notFound')) throw error;
    channel.push({status: `WARNING: ${toTscomposeError(error).message}`});
  }
}

async function pullOne(work: PullWork, reference: Reference): Promise<void> {
  const {context, connections, channel, signal, platform} = work;
  const name = familiarReference(formatReference(reference));
  const {repository} = reference;
  const wanted = reference.digest ?? reference.tag ?? 'latest';
  // Only when the registry has answered: what fails before is an answer of its own, with a status.
  const begin = () => channel.push({status: `Pulling from ${repository}`, id: wanted});
  await using session = await context.session();
  const isThere = await firstThatAnswers(connections, (connection) =>
    isUpToDate({...work, session, connection}, reference),
  );
  if (isThere.value !== undefined && (await touchReference(context.images.layout, formatReference(reference)))) {
    begin();
    return done(work, {name, digest: isThere.value, isNew: false});
  }
  const {connection, value: resolved} = await firstThatAnswers(connections, (place) =>
    resolveImage(place, {repository, reference: wanted, platform, name, signal}),
  );
  begin();
  const before = await readReference(context.images.layout, formatReference(reference));
  const id = await bring({...work, session, connection}, reference, resolved);
  await context.images.events.append({
    type: 'image',
    action: 'pull',
    id: name,
    attributes: {name: familiarReference(`${reference.registry}/${repository}`)},
  });
  done(work, {name, digest: resolved.target.digest, isNew: before?.image !== id});
}

function done(
  {channel}: PullWork,
  {name, digest, isNew}: {readonly name: string; readonly digest: string; readonly isNew: boolean},
): void {
  channel.push({status: `Digest: ${digest}`});
  channel.push({status: `Status: ${isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${name}`});
}

/** The digest that a name stands for, where that very image is here. A HEAD is enough to know, and no registry counts it. */
async function isUpToDate(work: OnePull, reference: Reference): Promise<string | undefined> {
  const {context, session, connection, signal, platform} = work;
  const known = await readReference(context.images.layout, formatReference(reference));
  const image = known && (await session.findImage(known.image));
  if (known === undefined || image === undefined) return undefined;
  const {architecture} = machinePlatform(context.images.architecture);
  const fits = platform.architecture === image.architecture || image.architecture === '';
  if (!fits || (platform.variant !== undefined && platform.architecture !== architecture)) return undefined;
  const digest = known.target?.digest ?? image.manifest;
  if (digest === undefined || (work.allPlatforms && (await readPushTree(session, digest)) === undefined))
    return undefined;
  if (reference.digest !== undefined) return reference.digest === digest ? digest : undefined;
  const found = await headManifest(connection, {
    repository: reference.repository,
    reference: reference.tag ?? 'latest',
    signal,
  });
  return found?.digest === digest ? digest : undefined;
}

/** Answers the image's id. */
async function bring(work: OnePull, reference: Reference, {target, path, image}: Resolved): Promise<string> {
  const {session} = work;
  const {config, layers} = image.content;
  const beside = await fetchBeside(work, reference.repository, {target, path, image});
  // What has come whole is wanted by nothing yet: of a pull that is killed, it stays for the next one.
  const pin = `${pullPin}${image.digest}`;
  const besides = beside.flatMap(({manifest, blobs: named}) => [manifest, ...named]);
  const blobs = [...path, config, ...layers, ...besides].map((blob) => blob.digest);
  await session.pin({name: pin, blobs, layers: []});
  for (const {bytes} of [...path, ...beside.map(({manifest}) => manifest)]) await session.addBlob(bytes);
  const records = await bringContent(work, reference.repository, image.content, (diffIds) =>
    session.pin({name: pin, blobs, layers: diffIds.map((diffId) => diffId.slice('sha256:'.length))}),
  );
  await bringBeside(work, reference.repository, beside);
  const {mediaType, digest, bytes} = target;
  const record = await session.addImage({
    configuration: config.digest,
    manifest: image.digest,
    layers: records,
    names: [
      {
        reference: work.beside ?? formatReference(reference),
        target: {mediaType, digest, size: bytes.length},
        isBeside: work.beside !== undefined,
      },
    ],
  });
  await session.unpin(pin);
  return record.id;
}

async function bringContent(
  work: OnePull,
  repository: string,
  {config, layers}: Resolved['image']['content'],
  onConfiguration: (diffIds: readonly string[]) => Promise<void>,
): ReturnType<ContentSession['layers']['provide']> {
  const {session, channel, context} = work;
  const what = `image ${config.digest}`;
  if (config.size > smallBlobMax) {
    throw new TscomposeError('invalid', `${what}: its configuration has ${config.size} bytes: none has that many`);
  }
  // The first failure ends the others; what has come of them stays.
  const stop = new AbortController();
  const signal = AbortSignal.any([work.signal, stop.signal]);
  const limit = createLimiter(downloadsMax);
  const later = new Map(layers.map((layer) => [layer.digest, laterBlob(layer)]));
  for (const digest of later.keys()) say(work, digest, 'Pulling fs layer');
  // What went wrong first is why the rest did.
  let cause: {readonly error: unknown} | undefined;
  const running = [...new Map(layers.map((layer) => [layer.digest, layer])).values()].map((layer) => {
    const blob = later.get(layer.digest);
    const fail = (error: unknown) => {
      cause ??= {error};
      blob?.fail(error);
      stop.abort();
    };
    return limit(() =>
      bringBlob({...work, signal}, repository, layer, {arrive: (source) => blob?.arrive(source), fail}),
    ).catch(fail);
  });
  try {
    const configuration = await bringConfiguration({...work, signal}, repository, config);
    if (configuration.diffIds.length !== layers.length) {
      throw new TscomposeError(
        'invalid',
        `${what}: its configuration names ${configuration.diffIds.length} layers, its manifest ${layers.length}`,
      );
    }
    await onConfiguration(configuration.diffIds);
    const wanted = layers.flatMap(({digest}, index) => {
      const blob = later.get(digest)?.source;
      return blob === undefined ? [] : [{diffId: configuration.diffIds[index], blob}];
    });
    const progress = new Map(
      layers.map(({digest}) => [digest, transferProgress(channel, shortDigest(digest), context.images.now)]),
    );
    const records = await session.layers.provide(wanted, {
      signal,
      onProgress: (digest, state) => {
        if (state === 'end') progress.get(digest)?.say('Pull complete');
        if (state === 'end') progress.delete(digest);
      },
    });
    await Promise.all(running);
    // The rest was unpacked before, from an archive in another compression, or for another image.
    for (const rest of progress.values()) rest.say('Pull complete');
    return records;
  } catch (error) {
    cause ??= {error};
    stop.abort();
    await Promise.all(running);
    work.signal.throwIfAborted();
    throw cause.error;
  }
}

function say({channel}: PullWork, digest: string, status: string): void {
  channel.push({status, progressDetail: {}, id: shortDigest(digest)});
}

async function bringConfiguration(work: OnePull, repository: string, config: Descriptor) {
  await bringBlob(work, repository, config);
  return parseConfiguration(await work.session.blobs.read(config.digest), `image ${config.digest}`);
}
