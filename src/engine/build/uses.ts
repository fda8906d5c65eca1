import {appendFile, stat} from 'node:fs/promises';

/** Counts a use: a byte of a file each, so that no process has to wait for another. One that cannot be counted is none. */
export async function countUse(path: string): Promise<void> {
  await appendFile(path, '.', {mode: 0o600}).catch(() => undefined);
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
