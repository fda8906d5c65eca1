import {createHash, hash} from 'node:crypto';
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

/** The digest of a small file that is still what `identity` says; undefined for any other: then `digestFile` tells. */
export function digestKnown(path: string, identity: FileIdentity, now: () => number): string | undefined {
  if (identity.size > smallBytes || !isSettled(identity, now)) return undefined;
  try {
    const file = openSync(path, 'r');
    try {
      const length = readScratch(file);
      // The same before it was opened and after it was read: the same all the time.
      return sameIdentity(identity, fstatSync(file)) ? hash('sha256', scratch.subarray(0, length)) : undefined;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isSettled({mtimeMs, ctimeMs}: FileIdentity, now: () => number): boolean {
  return now() - Math.max(mtimeMs, ctimeMs) > settledAfterMs;
}

type Reading = {readonly steady: boolean; readonly value: Digest} | 'noFile';

/** One byte more than a small file, so that its end is seen. Used between two turns only. */
const scratch = Buffer.allocUnsafeSlow(smallBytes + 1);

/** Undefined: it is too large for that. */
function digestSmall(path: string, now: () => number): Reading | undefined {
  const file = openSync(path, 'r');
  try {
    const before = fstatSync(file);
    if (!before.isFile()) return 'noFile';
    if (before.size > smallBytes) return undefined;
    const length = readScratch(file);
    if (length > smallBytes) return undefined;
    return readingOf(hash('sha256', scratch.subarray(0, length)), before, fstatSync(file), now);
  } finally {
    closeSync(file);
  }
}

/** How many bytes there are; more than `smallBytes` for a file that has grown too large. */
function readScratch(file: number): number {
  let length = 0;
  for (let read = -1; read !== 0 && length < scratch.length; length += read) {
    read = readSync(file, scratch, length, scratch.length - length, null);
  }
  return length;
}

async function digestLarge(path: string, now: () => number): Promise<Reading> {
  await using file = await open(path, 'r');
  const before = await file.stat();
  if (!before.isFile()) return 'noFile';
  const digest = createHash('sha256');
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let result = await file.read(buffer); result.bytesRead > 0; result = await file.read(buffer)) {
    digest.update(buffer.subarray(0, result.bytesRead));
  }
  return readingOf(digest.digest('hex'), before, await file.stat(), now);
}

function readingOf(sha256: string, before: Stats, after: Stats, now: () => number): Reading {
  const identity = identityOf(before);
  return {
    steady: sameIdentity(identity, identityOf(after)),
    value: {
      identity,
      mode: before.mode & 0o7777,
      sha256,
      settled: isSettled(identity, now),
    },
  };
}
