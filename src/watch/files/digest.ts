import {createHash, type Hash} from 'node:crypto';
import {closeSync, fstatSync, openSync, readSync, type Stats} from 'node:fs';
import {open} from 'node:fs/promises';
import {identityOf, sameIdentity} from './entry.ts';
import {isGone} from './scan.ts';
import type {FileIdentity} from './types.ts';

export interface Digest {
  /** The file's identity while it was read. */
  readonly identity: FileIdentity;
  readonly mode: number;
  readonly sha256: string;
  /**
   * False: it was read so soon after it was written that another write could leave the same times behind. Kernels stamp
   * files by a clock that moves every few milliseconds.
   */
  readonly settled: boolean;
}

/** Longer than the tick of the kernel's clock for files (1 to 10 ms), and than the seconds' fraction of old file systems. */
const settledAfterMs = 50;
/** Below this a file is read at once; a larger one through the thread pool. */
const smallBytes = 256 * 1024;
const chunkBytes = 1024 * 1024;
/** A file that is written to while it is read is read again so often; then the last reading counts. */
const attempts = 3;

/** Reads a file; undefined: it is gone, or no file any more. `now`: milliseconds since the epoch. */
export async function digestFile(path: string, now: () => number): Promise<Digest | undefined> {
  try {
    for (let attempt = 1; ; attempt += 1) {
      const digest = digestSmall(path, now) ?? (await digestLarge(path, now));
      if (digest === 'noFile') return undefined;
      if (digest.steady || attempt === attempts) return digest.value;
    }
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

type Reading = {readonly steady: boolean; readonly value: Digest} | 'noFile';

/** Undefined: it is too large for that. */
function digestSmall(path: string, now: () => number): Reading | undefined {
  const file = openSync(path, 'r');
  try {
    const before = fstatSync(file);
    if (!before.isFile()) return 'noFile';
    if (before.size > smallBytes) return undefined;
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(before.size + 1);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      hash.update(buffer.subarray(0, read));
    }
    return readingOf(hash, before, fstatSync(file), now);
  } finally {
    closeSync(file);
  }
}

async function digestLarge(path: string, now: () => number): Promise<Reading> {
  await using file = await open(path, 'r');
  const before = await file.stat();
  if (!before.isFile()) return 'noFile';
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let result = await file.read(buffer); result.bytesRead > 0; result = await file.read(buffer)) {
    hash.update(buffer.subarray(0, result.bytesRead));
  }
  return readingOf(hash, before, await file.stat(), now);
}

function readingOf(hash: Hash, before: Stats, after: Stats, now: () => number): Reading {
  const identity = identityOf(before);
  return {
    steady: sameIdentity(identity, identityOf(after)),
    value: {
      identity,
      mode: before.mode & 0o7777,
      sha256: hash.digest('hex'),
      settled: now() - Math.max(before.mtimeMs, before.ctimeMs) > settledAfterMs,
    },
  };
}
