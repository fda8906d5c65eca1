import {hasKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {createBlobStore} from '../image/blobs.ts';
import {isObject} from '../image/configuration.ts';
import type {ImageContext} from '../image/context.ts';
import {openSession} from '../image/session.ts';
import type {Connection} from '../registry/connection.ts';
import {fetchManifest, headManifest} from '../registry/manifest.ts';
import {firstThatAnswers} from '../registry/registries.ts';
import {type HostedBlob, openBlob} from './blob.ts';
import {evictCopies, type MirrorLimits} from './evict.ts';
import {createFlights} from './flights.ts';
import type {Asked, ManifestName} from './hosting.ts';
import type {ManifestBytes} from './local.ts';
import {readManifest} from './manifest.ts';
import type {MirroredName} from './mirror-names.ts';
import {createPassedThrough} from './passed-through.ts';
import {type HostedManifest, type RepositoryRecords, repositoryRecords} from './records.ts';

export interface MirrorContext extends ImageContext {
  /** Where a registry's content is, reached by the logins of whoever runs this, or as anybody. */
  readonly connections: (registry: string, as: 'operator' | 'anybody') => Promise<readonly Connection[]>;
}

export interface MirrorOptions {
  /** Registries whose images are passed on and kept. */
  readonly registries: readonly string[];
  /** They are not asked: what is kept is all there is. */
  readonly offline: boolean;
  /** They are asked with the logins of whoever runs this, and everybody gets what these may read. */
  readonly login: boolean;
  readonly limits: MirrorLimits;
}

/** Copies of repositories of other registries: brought when they are asked for, and kept. */
export interface Mirror {
  /** Whether it was this very mirror that has asked, be it over others. */
  hasAsked(asked: Pick<Asked, 'via'>): boolean;
  /** Throws `unavailable` where the other registry does not answer, and nothing is kept. */
  findManifest(name: MirroredName, wanted: ManifestName, asked: Asked): Promise<ManifestBytes | undefined>;
  /** One that is still coming can be read already. */
  findBlob(name: MirroredName, digest: string, asked: Pick<Asked, 'via'>): Promise<HostedBlob | undefined>;
  /** Lets go of copies beyond the limits. */
  evict(): Promise<void>;
  /** Downloads end; what has come stays. */
  close(): Promise<void>;
}

/** So long a tag is taken for what it was; milliseconds. */
const freshMs = 60_000;

export function createMirror(context: MirrorContext, options: MirrorOptions): Mirror {
  const {offline, login} = options;
  const {layout, now} = context;
  const passedThrough = createPassedThrough();
  const connections = async (registry: string, {via}: Pick<Asked, 'via'>) => {
    const places = await context.connections(registry, login ? 'operator' : 'anybody');
    return places.map((place) => passedThrough.mark(place, via));
  };
  const blobs = createBlobStore(layout.images.blobs);
  const flights = createFlights(context);

  /** What came for a login is nobody else's, unless the other registry gives it to them too. */
  const isFor = ({forLogin = false}: HostedManifest) => login || !forLogin;

  const readKept = async (records: RepositoryRecords, digest: string): Promise<ManifestBytes | undefined> => {
    const kept = await records.readManifest(digest);
    if (kept === undefined || !isFor(kept)) return undefined;
    await records.touchManifest(digest, now());
    return {digest, mediaType: kept.mediaType, bytes: await blobs.read(kept.stored)};
  };

  /** Undefined where the other registry does not have it, or does not give it to us. */
  const bring = async (name: MirroredName, reference: string, asked: Asked) => {
    const request = {repository: name.repository, reference, signal: asked.signal};
    const places = await connections(name.registry, asked);
    const found = await firstThatAnswers(places, (place) => fetchManifest(place, request)).catch((error: unknown) => {
      if (hasKind(error, 'notFound', 'unauthorized', 'forbidden')) return undefined;
      throw new TscomposeError('unavailable', toTscomposeError(error).message, {cause: error});
    });
    return found?.value;
  };

  const keep = async (
    records: RepositoryRecords,
    {bytes, mediaType, digest}: ManifestBytes,
    tag: string | undefined,
  ): Promise<void> => {
    await using session = await openSession(context);
    await session.addBlob(bytes);
    const {blobs: named} = readManifest(bytes, mediaType);
    const known = {v: 1, digest, stored: digest, mediaType, size: bytes.length, blobs: named} as const;
    const manifest: HostedManifest = {...known, ...(login ? {forLogin: true} : {})};
    await session.lease.hold({blobs: [digest]}, () => records.writeManifest(manifest));
    await records.touchManifest(digest, now());
    if (tag !== undefined) await records.writeTag(tag, {v: 1, digest, checked: now()});
  };

  /** A HEAD is enough to know, and no registry counts it. */
  const isUnchanged = async (
    name: MirroredName,
    {tag, digest}: {readonly tag: string; readonly digest: string},
    asked: Asked,
  ) => {
    const request = {repository: name.repository, reference: tag, signal: asked.signal};
    const places = await connections(name.registry, asked);
    const head = await firstThatAnswers(places, (place) => headManifest(place, request)).catch(() => undefined);
    return head?.value?.digest === digest;
  };

  const findTag = async (name: MirroredName, tag: string, asked: Asked): Promise<ManifestBytes | undefined> => {
    const records = repositoryRecords(layout, name.copy);
    const known = await records.readTag(tag);
    const kept = known && (await readKept(records, known.digest));
    if (offline || (kept && known && now() - (known.checked ?? 0) < freshMs)) return kept;
    if (kept && (await isUnchanged(name, {tag, digest: kept.digest}, asked))) {
      await records.writeTag(tag, {v: 1, digest: kept.digest, checked: now()});
      return kept;
    }
    try {
      const found = await bring(name, tag, asked);
      if (found) await keep(records, found, tag);
      return found;
    } catch (error) {
      if (kept && hasKind(error, 'unavailable')) return kept;
      throw error;
    }
  };

  return {
    hasAsked: ({via}) => passedThrough.isLoop(via),

    async findManifest(name, wanted, asked) {
      if ('tag' in wanted) return await findTag(name, wanted.tag, asked);
      const records = repositoryRecords(layout, name.copy);
      const kept = await readKept(records, wanted.digest);
      if (kept || offline || !wanted.digest.startsWith('sha256:')) return kept;
      const found = await bring(name, wanted.digest, asked);
      if (found) await keep(records, found, undefined);
      return found;
    },

    async findBlob(name, digest, asked) {
      const records = repositoryRecords(layout, name.copy);
      // Only what a manifest names that is kept here: that also tells how much is to come.
      const naming = (await records.listManifests()).find((each) => each.blobs.includes(digest) && isFor(each));
      if (naming === undefined) return undefined;
      const stored = await records.findBlob(digest);
      const kept = stored === undefined ? undefined : await openBlob(context, stored);
      if (kept || offline) return kept;
      const size = sizeIn(await blobs.read(naming.stored), digest);
      if (size === undefined) return undefined;
      return await flights.join({...name, digest, size, records, places: await connections(name.registry, asked)});
    },

    async evict() {
      // What is let go of cannot come again.
      if (!offline) await evictCopies(context, options);
    },

    close: () => flights.close(),
  };
}

/** What a manifest says of the size of a blob that it names. */
function sizeIn(manifest: Uint8Array, digest: string): number | undefined {
  const value = JSON.parse(new TextDecoder().decode(manifest)) as Readonly<Record<string, unknown>>;
  const layers = Array.isArray(value['layers']) ? (value['layers'] as unknown[]) : [];
  const descriptor = [value['config'], ...layers].find((item) => isObject(item) && item['digest'] === digest);
  const size = isObject(descriptor) ? descriptor['size'] : undefined;
  return typeof size === 'number' ? size : undefined;
}
