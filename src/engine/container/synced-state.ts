import type {SyncedEntry, SyncedFiles} from '../../api/types/sync.ts';

/** One change in the order of the archive: an absolute path, and what is there from then on. */
export type SyncedChange = readonly [path: string, entry: SyncedEntry | null];

/** What was synced, as changes are laid over one another. */
export interface SyncedState {
  apply(changes: readonly SyncedChange[]): void;
  /** The changes may have been made, or some of them: nothing is known for sure of the paths. */
  doubt(changes: readonly SyncedChange[]): void;
  files(): SyncedFiles['files'];
}

/** A file whose content is not known, so that it differs from every other one. */
const unknown: SyncedEntry = {kind: 'file', sha256: '', size: 0, mode: 0};

export function createSyncedState(initial: SyncedFiles['files'] = {}): SyncedState {
  const entries = new Map<string, SyncedEntry>();
  /** Every path that had something beneath it: for all others nobody has to look. */
  const parents = new Set<string>();

  const put = (path: string, entry: SyncedEntry) => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const parent = path.slice(0, at);
      parents.add(parent);
      // It gave way to a directory, as the archive has something beneath it.
      const kind = entries.get(parent)?.kind;
      if (kind === 'file' || kind === 'link') entries.delete(parent);
    }
    entries.set(path, entry);
  };
  const beneath = (path: string): readonly string[] => {
    if (path !== '/' && !parents.has(path)) return [];
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...entries.keys()].filter((key) => key.startsWith(prefix) && key !== path);
  };
  const remove = (path: string) => {
    for (const key of beneath(path)) entries.delete(key);
    parents.delete(path);
    entries.delete(path);
  };

  for (const [path, entry] of Object.entries(initial)) put(path, entry);
  return {
    apply(changes) {
      for (const [path, entry] of changes) {
        if (entry?.kind !== 'directory') remove(path);
        if (entry !== null) put(path, entry);
      }
    },
    doubt(changes) {
      for (const [path, entry] of changes) {
        const known = [path, ...beneath(path)].filter((key) => entries.has(key));
        if (entry?.kind !== 'directory') for (const key of known) entries.set(key, unknown);
        if (entry !== null) put(path, unknown);
      }
    },
    files: () => Object.fromEntries(entries),
  };
}
