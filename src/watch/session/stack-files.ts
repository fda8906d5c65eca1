import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import type {Clock} from '../../base/clock.ts';
import {batchEvents} from '../files/batch-events.ts';
import type {FileWatcher, WatchFilesOptions} from '../files/types.ts';

/** Notices when files that the stack was loaded from say something else. */
export interface StackFiles extends AsyncDisposable {
  /** From now on these files count: new ones as they are now, known ones as they were seen last. */
  expect(paths: readonly string[]): Promise<void>;
}

export interface StackFilesOptions {
  readonly watch: (options: WatchFilesOptions) => FileWatcher;
  readonly clock: Clock;
  /** With the files whose content differs; those that come and go too. */
  readonly onChange: (paths: readonly string[]) => void;
}

export function watchStackFiles({watch, clock, onChange}: StackFilesOptions): StackFiles {
  let digests = new Map<string, string>();
  let watcher: FileWatcher | undefined;
  const look = async (): Promise<void> => {
    const seen = digests;
    const now = await digestAll([...seen.keys()]);
    if (seen !== digests) return;
    const changed = [...now].filter(([path, digest]) => seen.get(path) !== digest).map(([path]) => path);
    digests = now;
    if (changed.length > 0) onChange(changed);
  };
  const batches = batchEvents({clock, onBatch: look});
  return {
    async expect(paths) {
      const wanted = [...new Set(paths)].sort();
      const same = wanted.length === digests.size && wanted.every((path) => digests.has(path));
      if (!same) {
        await watcher?.close();
        watcher = watch({
          roots: wanted.map((path) => ({path, filter: everything})),
          onEvent: (event) => batches.note(event),
        });
        await watcher.ready;
      }
      const now = await digestAll(wanted);
      digests = new Map([...now].map(([path, digest]) => [path, digests.get(path) ?? digest]));
      await look();
    },
    async [Symbol.asyncDispose]() {
      await batches.close();
      await watcher?.close();
    },
  };
}

const everything = {includes: () => true, prunes: () => false};

/** Of each path; one that cannot be read has the digest of nothing. */
async function digestAll(paths: readonly string[]): Promise<Map<string, string>> {
  const entries = await Promise.all(
    paths.map(async (path) => {
      const content = await readFile(path).catch(() => undefined);
      return [path, content === undefined ? '' : createHash('sha256').update(content).digest('hex')] as const;
    }),
  );
  return new Map(entries);
}
