import type {Clock} from '../../base/clock.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {Project} from '../../model/types.ts';
import type {UpOptions} from '../../plan/input.ts';
import type {PendingPlan, UiEventContent} from '../../tui/types.ts';
import type {CliContext} from '../context.ts';
import type {ReloadedStack} from '../watch.ts';
import {brokenPlan, pendingPlan, stackEvent, stackFingerprint} from './pending-plan.ts';

export interface StackWatchOptions {
  readonly context: CliContext;
  readonly docker: Docker;
  /** Absent: only the project's name is known, so there is nothing to compare with. */
  readonly project: Project | undefined;
  readonly stack: ReloadedStack;
  readonly upOptions: () => UpOptions;
  readonly clock: Clock;
  readonly emit: (event: UiEventContent) => void;
  readonly signal: AbortSignal;
}

export interface StackWatch {
  /** As it was last read without problems. */
  project(): Project;
  /** As last shown. */
  plan(): PendingPlan | undefined;
  /** What is there has changed: the plan may be another. */
  touch(): void;
  /** Plans now; resolves once the new plan was told. */
  refresh(): Promise<void>;
  /** No plan is made until disposed: while one is carried out, it changes with every step. */
  hold(): Disposable;
  readonly ended: Promise<void>;
}

/** Files are looked at this often; asking the kernel for the times of a few files costs next to nothing. */
const lookEveryMs = 1000;
/** A stack that comes up changes many times a second. */
const planAfterMs = 500;
const planEveryMs = 2000;

/** Keeps the pending plan true: reads the stack file when it was saved, plans anew when it or the engine changed. */
export function watchStack(options: StackWatchOptions): StackWatch {
  const {context, docker, clock, emit, signal} = options;
  let project = options.project;
  let plan: PendingPlan | undefined;
  let shown = '';
  let broken: unknown;
  let due = project === undefined ? Number.POSITIVE_INFINITY : 0;
  let planned = Number.NEGATIVE_INFINITY;
  let holds = 0;
  let woken: (() => void) | undefined;
  let running = Promise.resolve();

  const show = (next: PendingPlan): void => {
    plan = next;
    const text = JSON.stringify(next);
    if (text === shown) return;
    shown = text;
    emit({kind: 'plan', plan: next});
  };
  const planNow = async (): Promise<void> => {
    if (project === undefined) return;
    planned = clock.now();
    due = Number.POSITIVE_INFINITY;
    try {
      if (broken !== undefined) throw broken;
      show(await pendingPlan(context, docker, project, options.upOptions()));
    } catch (error) {
      // An engine that is away tells of itself.
      if (!signal.aborted && !hasKind(error, 'unavailable', 'canceled')) show(brokenPlan(error, plan));
    }
  };
  const enqueue = (): Promise<void> => {
    running = running.then(planNow);
    return running;
  };
  const readAgain = async (): Promise<void> => {
    try {
      project = await options.stack.load();
      broken = undefined;
      emit(stackEvent(project));
    } catch (error) {
      broken = error;
    }
    due = clock.now();
  };
  const followFile = async (): Promise<void> => {
    if (project === undefined) return;
    let fingerprint = await stackFingerprint(options.stack.inputs());
    while (!signal.aborted) {
      await clock.sleep(lookEveryMs, signal);
      const now = await stackFingerprint(options.stack.inputs());
      if (signal.aborted || now === fingerprint) continue;
      await readAgain();
      fingerprint = await stackFingerprint(options.stack.inputs());
      woken?.();
    }
  };
  const followPlan = async (): Promise<void> => {
    while (!signal.aborted) {
      const wait = Math.max(due, planned + planEveryMs) - clock.now();
      if (holds > 0 || wait > 0) {
        const wake = new AbortController();
        woken = () => wake.abort();
        const ms = holds > 0 || !Number.isFinite(wait) ? 2 ** 30 : wait;
        await clock.sleep(ms, AbortSignal.any([signal, wake.signal]));
        continue;
      }
      await enqueue();
    }
  };
  return {
    project() {
      if (project !== undefined) return project;
      throw new TscomposeError('notFound', 'there is no stack file to compare with', {
        hint: 'run the command in the directory of the stack file, or name it with -f',
      });
    },
    plan: () => plan,
    touch() {
      if (project === undefined) return;
      due = Math.min(due, clock.now() + planAfterMs);
      woken?.();
    },
    refresh: enqueue,
    hold() {
      holds += 1;
      return {
        [Symbol.dispose]() {
          holds -= 1;
          due = project === undefined ? due : clock.now();
          woken?.();
        },
      };
    },
    ended: Promise.all([followFile(), followPlan()]).then(() => undefined),
  };
}
