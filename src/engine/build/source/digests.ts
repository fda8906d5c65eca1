import {createHash} from 'node:crypto';
import {type BigIntStats, closeSync, fstatSync, readSync} from 'node:fs';
import {readText, writeFileAtomically} from '../../record-store.ts';
import {changedMeanwhile, openContextFile} from './open-file.ts';

/** Digests of files that were read before, as long as they are the same by number, size and times. */
export interface DigestCache {
  /** Of the file at `path` beneath the root, which `status` was told of. */
  digest(path: string, status: BigIntStats): string;
  /** Keeps what is new for the next build. */
  save(): Promise<void>;
}

/** A file that changed so short a while ago may change again without another time. */
const settledMs = 2_000;

const pieceSize = 256 * 1024;

/**
 * `root` is the directory's real path. A file is read by the descriptor that was opened, and only where that leads to its very
 * place: a link in a directory's place leads nowhere.
 */
export async function openDigestCache(root: string, record: string, nowMs: () => number): Promise<DigestCache> {
  const known = parse(await readText(record).catch(() => undefined));
  const used = new Map<string, string>();
  const piece = Buffer.allocUnsafe(pieceSize);
  let changed = false;
  return {
    digest(path, status) {
      const key = `${path}\0${identity(status)}`;
      const found = used.get(key) ?? known.get(key);
      if (found !== undefined) {
        used.set(key, found);
        return found;
      }
      const digest = readDigest(root, path, {status, piece});
      if (nowMs() - Number(status.ctimeMs) > settledMs) {
        used.set(key, digest);
        changed = true;
      }
      return digest;
    },
    async save() {
      if (!changed) return;
      // What another build of the same directory looked at is kept as well, as far as it is not known to have changed.
      const seen = new Set([...used.keys()].map((key) => key.slice(0, key.indexOf('\0'))));
      const others = [...known].filter(([key]) => !seen.has(key.slice(0, key.indexOf('\0'))));
      const lines = [...used, ...others].map(([key, digest]) => `${digest}\0${key}`);
      await writeFileAtomically(record, lines.join('\0\0'));
    },
  };
}

function parse(text: string | undefined): Map<string, string> {
  const entries = (text ?? '').split('\0\0').flatMap((line) => {
    const cut = line.indexOf('\0');
    return cut === 64 ? [[line.slice(cut + 1), line.slice(0, cut)] as const] : [];
  });
  return new Map(entries);
}

function identity({dev, ino, size, mtimeNs, ctimeNs}: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

interface Reading {
  readonly status: BigIntStats;
  readonly piece: Buffer;
}

function readDigest(root: string, path: string, {status, piece}: Reading): string {
  const file = openContextFile(root, path);
  try {
    const opened = fstatSync(file, {bigint: true});
    const isSame = opened.ino === status.ino && opened.dev === status.dev && opened.isFile();
    if (!isSame) throw changedMeanwhile(path);
    const hash = createHash('sha256');
    // One that has become longer has another size.
    for (let count = 1, left = Number(status.size); left > 0 && count > 0; left -= count) {
      count = readSync(file, piece, 0, piece.length, null);
      hash.update(piece.subarray(0, count));
    }
    if (identity(fstatSync(file, {bigint: true})) !== identity(status)) throw changedMeanwhile(path);
    return hash.digest('hex');
  } finally {
    closeSync(file);
  }
}
