import {addNotes, type CauseNotes, emptyNotes} from './cause.ts';
import type {ServiceRule} from './rules.ts';

/** Commands whose files were brought into a container while it did not run. */
export interface WaitingCommands {
  add(container: string, rules: readonly ServiceRule[], cause: CauseNotes): void;
  /** What has to be run now that the container runs; once. */
  take(container: string): {readonly rules: ReadonlySet<ServiceRule>; readonly cause: CauseNotes} | undefined;
}

export function createWaitingCommands(): WaitingCommands {
  const waiting = new Map<string, {readonly rules: Set<ServiceRule>; readonly cause: CauseNotes}>();
  return {
    add(container, rules, {paths}) {
      const entry = waiting.get(container) ?? {rules: new Set(), cause: emptyNotes()};
      waiting.set(container, entry);
      for (const rule of rules) entry.rules.add(rule);
      // How long it took until the container was started is not a time of ours.
      addNotes(entry.cause, {paths, savedAt: undefined});
    },
    take(container) {
      const entry = waiting.get(container);
      waiting.delete(container);
      return entry;
    },
  };
}
