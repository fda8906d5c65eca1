import {createSerial} from '../../base/concurrency.ts';
import {TscomposeError} from '../../base/errors.ts';
import {createBlobStore} from '../image/blobs.ts';
import {readReference} from '../image/record.ts';
import {openSession} from '../image/session.ts';
import {type HostedBlob, openBlob} from './blob.ts';
import {parseAnyDigest} from './digest.ts';
import {createLocalImages, type LocalScope, type ManifestBytes} from './local.ts';
import {createMirror, type MirrorContext, type MirrorOptions} from './mirror.ts';
import {localNames} from './names.ts';
import {linkBlob, type PutManifest, type PutResult, putManifest} from './put.ts';
import {type HostedManifest, listRepositories, type RepositoryRecords, repositoryRecords} from './records.ts';
import {type SweepOptions, sweep} from './sweep.ts';
import {createUploads, type Finished, type UploadLimits, type UploadName, type Uploads} from './uploads.ts';
import {withMirror} from './with-mirror.ts';

export interface HostingOptions {
  /** Names by which the registry is reached, as they stand in references: `localhost:5000`. */
  readonly hosts: readonly string[];
  /** Images of this machine that were not pushed are offered too. */
  readonly local: boolean;
  /** Images that are pushed are made ready to run. */
  readonly unpack: boolean;
  readonly limits: UploadLimits;
  readonly keep: SweepOptions;
  /** Other registries that are passed on. */
  readonly mirror?: MirrorOptions | undefined;
}

/** What a client can name a manifest by. */
export type ManifestName = {readonly tag: string} | {readonly digest: string};

/** `local`: it is this machine's, and only there it can be removed. */
export type Removed = 'removed' | 'unknown' | 'local';

/** How a client has asked. */
export interface Asked {
  /** Its header `Via`: the mirrors that it has come through. */
  readonly via: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * The content of a registry, over the store of this machine: what is pushed becomes an image here, and what is an image here
 * can be pulled. Names and digests are given checked (`names.ts`, `digest.ts`).
 */
export interface Hosting {
  readonly uploads: Pick<Uploads, 'begin' | 'size' | 'append' | 'cancel'>;
  listRepositories(): Promise<readonly string[]>;
  /** Undefined for a repository that is not there. */
  listTags(repository: string): Promise<readonly string[] | undefined>;
  /** Whether something was pushed to it. */
  isHosted(repository: string): Promise<boolean>;
  /** Whether it is a copy of another registry's: nothing is pushed to it. */
  isCopy(repository: string): boolean;
  /** Throws `unavailable` where it has to come from another registry, and that does not answer. */
  findManifest(repository: string, name: ManifestName, asked: Asked): Promise<ManifestBytes | undefined>;
  putManifest(put: PutManifest, signal: AbortSignal): Promise<PutResult>;
  /** Those that say something about a manifest. */
  listReferrers(repository: string, subject: string): Promise<readonly HostedManifest[]>;
  findBlob(repository: string, digest: string, asked: Pick<Asked, 'via'>): Promise<HostedBlob | undefined>;
  /** As {@link findBlob}; it then stays for a while, since a manifest that names it may follow. */
  keepBlob(repository: string, digest: string, asked: Pick<Asked, 'via'>): Promise<HostedBlob | undefined>;
  /** Makes a blob of a repository one of another's; `from` undefined: of any that may be read. */
  mountBlob(
    repository: string,
    digest: string,
    from: {readonly repository?: string | undefined; readonly mayRead: (repository: string) => boolean},
  ): Promise<boolean>;
  finishUpload(upload: UploadName, digest: string): Promise<Finished>;
  removeTag(repository: string, tag: string): Promise<Removed>;
  removeManifest(repository: string, digest: string): Promise<Removed>;
  removeBlob(repository: string, digest: string): Promise<Removed>;
  /** Gives back what nothing needs any more. */
  sweep(): Promise<void>;
  /** Ends what comes from elsewhere. */
  close(): Promise<void>;
}

export interface HostingContext extends MirrorContext {
  /** Takes a name from an image, and removes what nothing needs then. */
  readonly removeName: (reference: string) => Promise<void>;
}

export function createHosting(context: HostingContext, options: HostingOptions): Hosting {
  const own = createOwn(context, options);
  const {mirror} = options;
  return mirror === undefined ? own : withMirror(own, createMirror(context, mirror), mirror.registries);
}

/** What is on this machine. */
function createOwn(context: HostingContext, options: HostingOptions): Hosting {
  const {layout} = context;
  const {hosts} = options;
  const blobs = createBlobStore(layout.images.blobs);
  const local = createLocalImages(context, blobs);
  const uploads = createUploads(context, options.limits);
  // The last one who pushes to a tag has it, in the registry and on this machine.
  const serially = createSerial();
  const aloneIn =
    (repository: string) =>
    <T>(tag: string, work: () => Promise<T>) =>
      serially(`${repository}:${tag}`, work);
  const recordsOf = (repository: string): RepositoryRecords => repositoryRecords(layout, repository);
  /** A repository that was pushed to is what was pushed, and what has one of the registry's own names. */
  const scopeOf = async (records: RepositoryRecords): Promise<LocalScope | undefined> =>
    options.local ? {hosts, all: !(await records.exists())} : undefined;

  const findTag = async (repository: string, tag: string): Promise<ManifestBytes | undefined> => {
    const records = recordsOf(repository);
    const hosted = await records.readTag(tag);
    const scope = await scopeOf(records);
    if (hosted === undefined) return scope && (await local.findTag(repository, tag, scope));
    const manifest = await readHosted(records, hosted.digest);
    if (scope === undefined || hosted.reference === undefined) return manifest;
    // A name that was given to another image since then is what people mean by it.
    const reference = await readReference(layout, hosted.reference);
    return (reference && (await local.manifestOf(reference))) ?? manifest;
  };

  const readHosted = async (records: RepositoryRecords, digest: string): Promise<ManifestBytes | undefined> => {
    const found = await records.readManifest(digest);
    return found && {digest, mediaType: found.mediaType, bytes: await blobs.read(found.stored)};
  };

  const findManifest = async (repository: string, name: ManifestName): Promise<ManifestBytes | undefined> => {
    if ('tag' in name) return await findTag(repository, name.tag);
    const records = recordsOf(repository);
    const hosted = await readHosted(records, name.digest);
    const scope = hosted ? undefined : await scopeOf(records);
    return hosted ?? (scope && (await local.findManifest(repository, name.digest, scope)));
  };

  const hasLocalBlob = async (repository: string, digest: string): Promise<boolean> => {
    const scope = parseAnyDigest(digest)?.algorithm === 'sha256' ? await scopeOf(recordsOf(repository)) : undefined;
    return scope !== undefined && (await local.hasBlob(repository, digest, scope));
  };

  const findBlob = async (repository: string, digest: string): Promise<HostedBlob | undefined> => {
    const stored = await recordsOf(repository).findBlob(digest);
    if (stored === undefined && !(await hasLocalBlob(repository, digest))) return undefined;
    return await openBlob(context, stored ?? digest);
  };

  /** Shared: nothing is told to be garbage meanwhile. */
  const held = async <T>(work: () => Promise<T>): Promise<T> => {
    await using lock = await context.helper.lock(layout.locks.images, {mode: 'shared'});
    void lock;
    return await work();
  };

  /** Names of this machine that stand for a tag of the registry, or for a manifest under any tag. */
  const ownNames = async (repository: string, isMeant: (tag: string, digest?: string) => boolean) => {
    const found = await local.listNames(localNames(repository, hosts).own);
    const names = await Promise.all(
      found.map(async (record) => {
        const tag = record.reference.slice(record.reference.lastIndexOf(':') + 1);
        return isMeant(tag, (await local.manifestOf(record))?.digest) ? [record.reference] : [];
      }),
    );
    return names.flat();
  };

  return {
    uploads,
    findManifest,
    findBlob,
    isHosted: (repository) => recordsOf(repository).exists(),
    isCopy: () => false,

    async listRepositories() {
      const hosted = await Promise.all(
        (await listRepositories(layout)).map(async (records) => ((await records.exists()) ? [records.name] : [])),
      );
      const here = options.local ? await local.listRepositories(hosts) : [];
      return [...new Set([...hosted.flat(), ...here])];
    },

    async listTags(repository) {
      const records = recordsOf(repository);
      const scope = await scopeOf(records);
      const here = scope ? await local.listTags(repository, scope) : [];
      if (here.length === 0 && !(await records.exists())) return undefined;
      return [...new Set([...(await records.listTags()), ...here])];
    },

    async putManifest(put, signal) {
      await using session = await openSession(context);
      const records = recordsOf(put.repository);
      const here = {
        hasBlob: (digest: string) => hasLocalBlob(put.repository, digest),
        findManifest: (digest: string) => findManifest(put.repository, {digest}),
      };
      const alone = aloneIn(put.repository);
      return await putManifest({context, session, records, here, unpack: options.unpack, alone}, put, signal);
    },

    async listReferrers(repository, subject) {
      return (await recordsOf(repository).listManifests()).filter((manifest) => manifest.subject === subject);
    },

    async keepBlob(repository, digest) {
      const records = recordsOf(repository);
      await held(async () => {
        const stored = await records.findBlob(digest);
        if (stored !== undefined) await records.linkBlob(digest, stored);
      });
      return await findBlob(repository, digest);
    },

    async mountBlob(repository, digest, {repository: from, mayRead}) {
      const candidates = from === undefined ? (await listRepositories(layout)).map(({name}) => name) : [from];
      for (const candidate of candidates.filter(mayRead)) {
        const stored = await recordsOf(candidate).findBlob(digest);
        if (stored === undefined && !(from !== undefined && (await hasLocalBlob(candidate, digest)))) continue;
        await using session = await openSession(context);
        const source = await session.find(stored ?? digest);
        if (source?.path === undefined) continue;
        await linkBlob(session, recordsOf(repository), {digest, stored: stored ?? digest});
        return true;
      }
      return false;
    },

    async finishUpload(upload, digest) {
      await using session = await openSession(context);
      const finished = await uploads.finish(upload, digest, session);
      if (finished.kind === 'finished')
        await linkBlob(session, recordsOf(upload.repository), {digest, stored: finished.stored});
      return finished;
    },

    removeTag: (repository, tag) =>
      aloneIn(repository)(tag, async () => {
        if (!(await recordsOf(repository).removeTag(tag))) {
          return (await findTag(repository, tag)) === undefined ? 'unknown' : 'local';
        }
        for (const name of await ownNames(repository, (found) => found === tag)) await removeName(context, name);
        return 'removed';
      }),

    async removeManifest(repository, digest) {
      const records = recordsOf(repository);
      if (!(await records.removeManifest(digest))) {
        return (await findManifest(repository, {digest})) === undefined ? 'unknown' : 'local';
      }
      for (const tag of await records.listTags()) {
        await aloneIn(repository)(tag, async () => {
          if ((await records.readTag(tag))?.digest === digest) await records.removeTag(tag);
        });
      }
      for (const name of await ownNames(repository, (_tag, found) => found === digest)) await removeName(context, name);
      return 'removed';
    },

    async removeBlob(repository, digest) {
      if (await recordsOf(repository).unlinkBlob(digest)) return 'removed';
      return (await hasLocalBlob(repository, digest)) ? 'local' : 'unknown';
    },

    sweep: () => sweep(context, uploads, options.keep),
    async close() {},
  };
}

/** It may be gone meanwhile. */
async function removeName(context: HostingContext, reference: string): Promise<void> {
  await context.removeName(reference).catch((error: unknown) => {
    if (!(error instanceof TscomposeError) || error.kind !== 'notFound') throw error;
  });
}
