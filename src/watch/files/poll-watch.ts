import {setTimeout as delay} from 'node:timers/promises';
import {sameEntry} from './entry.ts';
import {scanTree} from './scan.ts';
import type {TreeWatch, TreeWatchOptions} from './tree-watch.ts';
import type {TreeEntry} from './types.ts';

/** At least so long between two looks; on a large tree so many times what a look takes. */
const intervalMs = 1_000;
const restFactor = 10;

/** Watches a tree by looking at all of it again and again: where no watches are to be had. */
export function pollTree({real, filter, onHint}: TreeWatchOptions): TreeWatch {
  const closing = new AbortController();
  const {signal} = closing;
  let known: ReadonlyMap<string, TreeEntry> = new Map();
  const look = async (): Promise<number> => {
    const began = performance.now();
    const {entries} = await scanTree({real, filter});
    if (!signal.aborted) for (const path of differences(known, entries)) onHint(path);
    known = entries;
    return performance.now() - began;
  };
  const first = scanTree({real, filter}).then(({entries}) => {
    known = entries;
  });
  const run = async (): Promise<void> => {
    await first;
    for (let took = 0; !signal.aborted; took = await look()) {
      await delay(Math.max(intervalMs, took * restFactor), undefined, {signal}).catch(() => undefined);
      if (signal.aborted) return;
    }
  };
  const done = run();
  return {
    ready: first,
    async close() {
      closing.abort();
      await done;
    },
  };
}

function* differences(before: ReadonlyMap<string, TreeEntry>, after: ReadonlyMap<string, TreeEntry>): Iterable<string> {
  for (const path of before.keys()) if (!after.has(path)) yield path;
  for (const [path, entry] of after) if (!sameEntry(before.get(path), entry)) yield path;
}
