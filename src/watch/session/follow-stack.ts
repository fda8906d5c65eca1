import type {Project} from '../../model/types.ts';
import type {ConvergeContext} from '../../reconcile/converge.ts';
import {toCause} from './cause.ts';
import type {FileSide} from './rule-set.ts';
import {shownPath} from './rules.ts';
import {applyStackChange, type StackSource} from './stack-change.ts';
import {watchStackFiles} from './stack-files.ts';

export interface FollowStackOptions {
  readonly stack: StackSource;
  readonly files: FileSide;
  readonly converge: ConvergeContext;
  /** The stack that runs. */
  readonly current: () => Project;
  /** Another one counts from now on. */
  readonly onApplied: (project: Project) => Promise<void>;
}

/** Follows the stack file and everything that it reads: one change after another, several at once as one. */
export async function followStack(options: FollowStackOptions): Promise<AsyncDisposable> {
  const {stack, files, converge, current, onApplied} = options;
  const {signal} = converge;
  const pending = new Set<string>();
  const undecided = new Set<string>();
  let newer = new AbortController();
  let running: Promise<void> | undefined;
  const loop = async (): Promise<void> => {
    while (pending.size > 0 && !signal.aborted) {
      const {workingDir} = current();
      const cause = toCause([...pending].map((path) => shownPath(path, workingDir)));
      pending.clear();
      const change = {stack, before: current(), cause, converge, newer: newer.signal, undecided};
      const applied = await applyStackChange(change);
      if (applied !== undefined && !signal.aborted) await onApplied(applied);
      if (!signal.aborted) await stackFiles.expect(stack.inputs());
    }
    running = undefined;
  };
  const stackFiles = watchStackFiles({
    watch: (watching) => files.watch(watching),
    clock: converge.clock,
    onChange(paths) {
      for (const path of paths) pending.add(path);
      newer.abort();
      newer = new AbortController();
      if (running === undefined && !signal.aborted) running = loop();
    },
  });
  await stackFiles.expect(stack.inputs());
  return {
    async [Symbol.asyncDispose]() {
      newer.abort();
      await running;
      await stackFiles[Symbol.asyncDispose]();
    },
  };
}
