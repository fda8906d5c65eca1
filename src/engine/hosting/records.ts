import {mkdir, readdir, readFile, rm, stat, utimes} from 'node:fs/promises';
import {join} from 'node:path';
import {sha256Hex} from '../../base/canonical-json.ts';
import {validateHostedManifest, validateHostedRepository, validateHostedTag} from '../generated/record-validators.js';
import type {Layout} from '../layout.ts';
import {readRecord, temporaryPrefix, writeFileAtomically, writeRecord} from '../record-store.ts';
import {digestFileName, digestOfFileName} from './digest.ts';

/**
 * What a registry holds, on disk under `images/hosted`: a directory a repository with a file for each tag, manifest and
 * blob. Their content is in the store, which keeps what is named here.
 */
export interface HostedTag {
  readonly v: 1;
  readonly digest: string;
  /** The name on this machine that was given to the same image. */
  readonly reference?: string;
  /** When the registry it is a copy of was last asked; milliseconds since the epoch. */
  readonly checked?: number;
}

export interface HostedManifest {
  readonly v: 1;
  readonly digest: string;
  /** Digest of the blob with its bytes: another one where `digest` is no SHA-256. */
  readonly stored: string;
  readonly mediaType: string;
  readonly size: number;
  /** Digests of the blobs it names, which are in the repository. */
  readonly blobs: readonly string[];
  /** Digest of the manifest that it says something about. */
  readonly subject?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
  /** It came from another registry for a login: whether that gives it to everybody is not known. */
  readonly forLogin?: boolean;
}

interface HostedRepository {
  readonly v: 1;
  readonly name: string;
}

/** The files of one repository. Nothing is written before something is put into it. */
export interface RepositoryRecords {
  readonly name: string;
  /** Since it got its first manifest; also when all were deleted. */
  exists(): Promise<boolean>;
  readTag(tag: string): Promise<HostedTag | undefined>;
  writeTag(tag: string, record: HostedTag): Promise<void>;
  removeTag(tag: string): Promise<boolean>;
  listTags(): Promise<readonly string[]>;
  readManifest(digest: string): Promise<HostedManifest | undefined>;
  writeManifest(record: HostedManifest): Promise<void>;
  removeManifest(digest: string): Promise<boolean>;
  /** It was asked for; milliseconds since the epoch. */
  touchManifest(digest: string, at: number): Promise<void>;
  /** When each was last asked for, or written; milliseconds since the epoch. */
  listUses(): Promise<readonly {readonly digest: string; readonly usedAt: number}[]>;
  listManifests(): Promise<readonly HostedManifest[]>;
  /** The digest under which the store has a blob of the repository. */
  findBlob(digest: string): Promise<string | undefined>;
  /** A blob that is there already gets young again: nothing that was just asked for is taken for waste. */
  linkBlob(digest: string, stored: string): Promise<void>;
  unlinkBlob(digest: string): Promise<boolean>;
  /** With the time of the last {@link linkBlob}; milliseconds since the epoch. */
  listBlobs(): Promise<readonly {readonly digest: string; readonly linkedAt: number}[]>;
}

const json = '.json';
const recordName = `repository${json}`;

export function repositoryRecords(layout: Pick<Layout, 'images'>, name: string): RepositoryRecords {
  const directory = join(repositoriesDirectory(layout), sha256Hex(name));
  const place = (kind: 'tags' | 'manifests' | 'blobs', file = '') => join(directory, kind, file);
  const tagPath = (tag: string) => place('tags', `${tag}${json}`);
  const manifestPath = (digest: string) => place('manifests', `${digestFileName(digest)}${json}`);
  const blobPath = (digest: string) => place('blobs', digestFileName(digest));
  const make = async (kind: 'tags' | 'manifests' | 'blobs') => {
    await mkdir(place(kind), {recursive: true, mode: 0o700});
    const path = join(directory, recordName);
    const known = await readRecord(path, validateHostedRepository);
    if (known === undefined) await writeRecord(path, {v: 1, name} satisfies HostedRepository, {sync: true});
  };
  const list = async (kind: 'tags' | 'manifests') =>
    (await namesIn(place(kind))).filter((file) => file.endsWith(json)).map((file) => file.slice(0, -json.length));
  return {
    name,
    exists: async () => (await unlessMissing(stat(place('manifests')))) !== undefined,
    readTag: (tag) => readRecord<HostedTag>(tagPath(tag), validateHostedTag),
    async writeTag(tag, record) {
      await make('tags');
      await writeRecord(tagPath(tag), record, {sync: true});
    },
    removeTag: (tag) => removeFile(tagPath(tag)),
    listTags: () => list('tags'),
    readManifest: (digest) => readRecord<HostedManifest>(manifestPath(digest), validateHostedManifest),
    async writeManifest(record) {
      await make('manifests');
      await writeRecord(manifestPath(record.digest), record, {sync: true});
    },
    removeManifest: (digest) => removeFile(manifestPath(digest)),
    async touchManifest(digest, at) {
      // It may go meanwhile.
      await unlessMissing(utimes(manifestPath(digest), at / 1000, at / 1000));
    },
    async listUses() {
      const digests = (await list('manifests')).flatMap((file) => digestOfFileName(file) ?? []);
      const found = digests.map(async (digest) => {
        const file = await unlessMissing(stat(manifestPath(digest)));
        return file === undefined ? [] : [{digest, usedAt: file.mtimeMs}];
      });
      return (await Promise.all(found)).flat();
    },
    async listManifests() {
      const digests = (await list('manifests')).flatMap((file) => digestOfFileName(file) ?? []);
      const records = await Promise.all(
        digests.map((digest) => readRecord<HostedManifest>(manifestPath(digest), validateHostedManifest)),
      );
      return records.filter((record) => record !== undefined);
    },
    findBlob: (digest) => readLink(blobPath(digest), digest),
    async linkBlob(digest, stored) {
      const path = blobPath(digest);
      const now = new Date();
      if ((await readLink(path, digest)) === stored) {
        await utimes(path, now, now);
        return;
      }
      await make('blobs');
      await writeFileAtomically(path, `${stored}\n`, {sync: true});
    },
    unlinkBlob: (digest) => removeFile(blobPath(digest)),
    async listBlobs() {
      const digests = (await namesIn(place('blobs'))).flatMap((file) => digestOfFileName(file) ?? []);
      const found = await Promise.all(
        digests.map(async (digest) => {
          const file = await stat(blobPath(digest)).catch(() => undefined);
          return file === undefined ? [] : [{digest, linkedAt: file.mtimeMs}];
        }),
      );
      return found.flat();
    },
  };
}

function repositoriesDirectory({images}: Pick<Layout, 'images'>): string {
  return join(images.hosted, 'repositories');
}

/** Every repository that something was put into. */
export async function listRepositories(layout: Pick<Layout, 'images'>): Promise<readonly RepositoryRecords[]> {
  const directory = repositoriesDirectory(layout);
  const records = await Promise.all(
    (await namesIn(directory)).map((name) =>
      readRecord<HostedRepository>(join(directory, name, recordName), validateHostedRepository),
    ),
  );
  return records.flatMap((record) => (record === undefined ? [] : [repositoryRecords(layout, record.name)]));
}

/** Of content that is lost nothing is offered: who pushes it again is told that it is not there. */
export async function forgetHosted(layout: Pick<Layout, 'images'>, stored: ReadonlySet<string>): Promise<void> {
  for (const records of await listRepositories(layout)) {
    for (const {digest} of await records.listBlobs()) {
      if (stored.has((await records.findBlob(digest)) ?? '')) await records.unlinkBlob(digest);
    }
    for (const manifest of await records.listManifests()) {
      if (stored.has(manifest.stored)) await records.removeManifest(manifest.digest);
    }
  }
}

/**
 * What the registry of this root needs of the store: its blobs and the bytes of its manifests. Read by the store wherever
 * it tells what is garbage.
 */
export async function hostedBlobs(layout: Pick<Layout, 'images'>): Promise<readonly string[]> {
  const repositories = await namesIn(repositoriesDirectory(layout));
  const found = await Promise.all(repositories.map((name) => blobsOf(join(repositoriesDirectory(layout), name))));
  return found.flat();
}

/** Most names say it all: files are opened only for digests of another kind than the store's. */
async function blobsOf(directory: string): Promise<readonly string[]> {
  const [blobs, manifests] = await Promise.all([
    namesIn(join(directory, 'blobs')),
    namesIn(join(directory, 'manifests')),
  ]);
  const linked = blobs.map(async (file) => {
    const digest = digestOfFileName(file);
    return digest === undefined ? undefined : await storedOf(join(directory, 'blobs', file), digest);
  });
  const named = manifests.map(async (file) => {
    const digest = digestOfFileName(file.slice(0, -json.length));
    if (digest === undefined || isStoredDigest(digest)) return digest;
    return (await readRecord<HostedManifest>(join(directory, 'manifests', file), validateHostedManifest))?.stored;
  });
  return (await Promise.all([...linked, ...named])).filter((digest) => digest !== undefined);
}

async function storedOf(path: string, digest: string): Promise<string | undefined> {
  return isStoredDigest(digest) ? digest : await readLink(path, digest);
}

function isStoredDigest(digest: string): boolean {
  return digest.startsWith('sha256:');
}

async function readLink(path: string, digest: string): Promise<string | undefined> {
  const text = await unlessMissing(readFile(path, 'utf8'));
  if (text === undefined) return undefined;
  return isStoredDigest(digest) ? digest : text.trim();
}

async function namesIn(directory: string): Promise<readonly string[]> {
  const names = (await unlessMissing(readdir(directory))) ?? [];
  return names.filter((name) => !name.startsWith(temporaryPrefix));
}

/** False where there was none. */
async function removeFile(path: string): Promise<boolean> {
  return (await unlessMissing(rm(path).then(() => true))) ?? false;
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  return await work.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
}
