import type {BuildBody, BuildEvent} from '../../api/types/build.ts';
import {hasKind} from '../../base/errors.ts';
import {isObject, parseJson} from '../image/configuration.ts';
import {type FoundImage, findWholeImage, noSuchImage} from '../image/find.ts';
import {formatPlatform, type Platform} from '../image/platform.ts';
import {type ImageRecord, readReference} from '../image/record.ts';
import {normaliseReference} from '../image/reference.ts';
import {authFor} from './auth-for.ts';
import {baseForPlatform} from './base-platform.ts';
import type {BuildRequest, BuildWork} from './context.ts';
import type {BaseImage, BaseSource} from './plan/draft.ts';
import type {BuildConfig, HistoryEntry} from './types.ts';

export interface BaseRequest {
  readonly reference: string;
  /** Absent: whichever is here, else the machine's. */
  readonly platform: Platform | undefined;
  readonly request: Pick<BuildRequest, 'auths' | 'client' | 'contexts' | 'pull'>;
  readonly signal: AbortSignal;
  readonly emit: (event: BuildEvent) => void;
}

export type FoundBase = BaseImage & {readonly source: BaseSource};

/** What an image says of itself; one that is not here is pulled, and any where newer ones are asked for. The session holds it. */
export async function readBase(context: BuildWork, request: BaseRequest): Promise<FoundBase> {
  const {reference} = request;
  const held = await context.session.findImage(await provide(context, request));
  if (held === undefined) throw noSuchImage(reference);
  const bytes = await context.session.blobs.read(held.id);
  const {config, history, author} = parseJson(bytes, `image ${held.id}`);
  const {os, architecture, variant, layers} = held;
  const entries = Array.isArray(history) ? (history as HistoryEntry[]) : [];
  const diffIds = layers.map(({diffId}) => diffId);
  return {
    source: {reference, id: held.id, digest: await digestOf(context, reference, held), layers: layers.length},
    config: (isObject(config) ? config : {}) as BuildConfig,
    author: typeof author === 'string' ? author : undefined,
    history: completed(entries, diffIds),
    ...{os, architecture, variant},
  };
}

async function provide(context: BuildWork, wanted: BaseRequest): Promise<string> {
  const {reference, platform, request, signal, emit} = wanted;
  // A stage or an image that is misspelt is not to be another one whose id begins like its name.
  const named = async (): Promise<FoundImage> => {
    const image = /^[0-9a-f]{64}$/.test(reference) ? undefined : await findWholeImage(context.images, reference);
    if (image === undefined) throw noSuchImage(reference);
    return image;
  };
  const bring = async () => {
    const auth = await authFor(reference, request);
    const asked = {reference, platform: platform && formatPlatform(platform), auth};
    for await (const progress of context.pull(asked, signal)) emit({kind: 'pull', reference, progress});
    emit({kind: 'pulled', reference});
    return await named();
  };
  const find = () =>
    named().catch((error: unknown) => {
      if (!hasKind(error, 'notFound')) throw error;
      return bring();
    });
  const found = await (request.pull === true && !isOwn(reference, request) ? bring() : find());
  return (await baseForPlatform(context, found, wanted)).id;
}

/** What the same stack builds is in no registry, or an old one. */
function isOwn(reference: string, {contexts}: Pick<BuildBody, 'contexts'>): boolean {
  return Object.values(contexts).some(
    (source) => source.kind === 'image' && source.built === true && source.reference === reference,
  );
}

async function digestOf({images}: BuildWork, reference: string, image: ImageRecord): Promise<string> {
  if (/^(?:sha256:)?[0-9a-f]+$/.test(reference)) return image.manifest ?? image.id;
  const record = await readReference(images.layout, normaliseReference(reference));
  return record?.target?.digest ?? image.manifest ?? image.id;
}

/** A layer that the history does not tell of gets a line, as BuildKit gives it one. */
function completed(history: readonly HistoryEntry[], diffIds: readonly string[]): readonly HistoryEntry[] {
  const told = history.filter(({empty_layer: empty}) => empty !== true).length;
  const untold = diffIds
    .slice(told)
    .map((id) => ({created_by: `layer ${id.slice('sha256:'.length, 'sha256:'.length + 12)}`}));
  return [...history, ...untold];
}
