import {appendFileSync} from 'node:fs';
import {stat} from '../at-once.ts';

/** Counts a use: a byte of a file each, so that no process has to wait for another. One that cannot be counted is none. */
export function countUse(path: string): void {
  try {
    appendFileSync(path, '.', {mode: 0o600});
  } catch {
    // The disk is full, or the record is being removed.
  }
}

/** How often something was used, and when last; milliseconds. */
export interface Uses {
  readonly count: number;
  readonly lastMs: number | undefined;
}

export async function readUses(path: string): Promise<Uses> {
  const status = await stat(path).catch(() => undefined);
  return {count: status?.size ?? 0, lastMs: status?.mtimeMs};
}
