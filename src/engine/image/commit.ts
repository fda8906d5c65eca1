import type {ContainerConfig} from '../../api/types/container.ts';
import {onePiece} from '../../base/byte-streams.ts';
import {TscomposeError} from '../../base/errors.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import type {CommitRequest} from '../container/context.ts';
import {unlessAborted} from './abort.ts';
import {addImageRecord} from './add.ts';
import {changeStore, type StoreChange} from './change.ts';
import {applyChanges} from './changes.ts';
import {parseConfiguration, parseJson} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {noSuchImage} from './find.ts';
import {hostImage, refuseHostReference} from './host-image.ts';
import {storeContent} from './load.ts';
import type {ImageRecord} from './record.ts';
import {familiarReference, normaliseReference} from './reference.ts';

export interface Commit {
  /** Normalised; undefined for an image without a name. */
  readonly reference: string | undefined;
  readonly config: ContainerConfig;
}

/** Reads the request's own parts, before anything is done. Throws `invalid`, `unsupported`. */
export function prepareCommit(context: ImageContext, request: CommitRequest): Commit {
  const {repository, tag} = request;
  const reference = repository ? normaliseReference(tag ? `${repository}:${tag}` : repository) : undefined;
  if (reference !== undefined) refuseHostReference(reference);
  if (request.base === hostImage(context.architecture).Id) {
    throw new TscomposeError('unsupported', 'a container of the built-in image "tscompose/host" cannot be committed', {
      hint: 'its programs are those of this machine: start from another image',
    });
  }
  return {reference, config: applyChanges(request.config, request.changes)};
}

/** Of an archive without entries: no layer is made of it (as Docker does). */
const emptyLayer = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/** Puts a layer upon an image. Answers the new image's id; nothing stays of one that fails. */
export async function commitImage(
  context: ImageContext,
  request: CommitRequest,
  layer: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<string> {
  const {reference, config} = prepareCommit(context, request);
  let id = '';
  await changeStore(context, {push: () => {}}, signal, async (change) => {
    const base = await change.session.findImage(request.base);
    if (base === undefined) throw noSuchImage(request.base);
    const staged = await unlessAborted(change.staging.add(layer), signal);
    const added = staged.digest === emptyLayer ? [] : [staged];
    const body = await describe(change, base, {request, config, added: added.map(({digest}) => digest)});
    const configuration = await change.staging.add(onePiece(body));
    const below = await Promise.all(base.layers.map(({blob}) => change.session.blobs.describe(blob)));
    const candidate = {references: [], configuration, layers: [...below, ...added]};
    const record = await storeContent(change, candidate, parseConfiguration(body, 'the committed image'));
    id = record.id;
    await addImageRecord(context, record, reference === undefined ? [] : [{reference}]);
    if (reference === undefined) return;
    await context.events.append({type: 'image', action: 'tag', id, attributes: {name: familiarReference(reference)}});
  });
  return id;
}

interface Description {
  readonly request: CommitRequest;
  readonly config: ContainerConfig;
  /** Diff IDs. The layer is not compressed: they are its digests. */
  readonly added: readonly string[];
}

/** The configuration of the image below with one more step. */
async function describe(
  {context, session}: StoreChange,
  base: ImageRecord,
  {request, config, added}: Description,
): Promise<Buffer> {
  const {architecture, variant, os, history} = parseJson(await session.blobs.read(base.id), `image ${base.id}`);
  const {comment, author, createdBy} = request;
  const created = formatNanoseconds(unixNanoseconds(context.now));
  const step = {
    created,
    created_by: createdBy,
    ...(author === '' ? {} : {author}),
    ...(comment === '' ? {} : {comment}),
    ...(added.length > 0 ? {} : {empty_layer: true}),
  };
  return Buffer.from(
    JSON.stringify({
      architecture,
      ...(variant === undefined ? {} : {variant}),
      os,
      created,
      ...(author === '' ? {} : {author}),
      config,
      rootfs: {type: 'layers', diff_ids: [...base.layers.map(({diffId}) => diffId), ...added]},
      history: [...(Array.isArray(history) ? history : []), step],
    }),
  );
}
