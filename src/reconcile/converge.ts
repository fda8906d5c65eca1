import {backoffDelays} from '../base/backoff.ts';
import type {Clock} from '../base/clock.ts';
import {formatDuration} from '../base/duration.ts';
import {hasKind, TscomposeError} from '../base/errors.ts';
import type {Project} from '../model/types.ts';
import type {Consent, ContainerId, Plan} from '../plan/action.ts';
import type {Memory} from '../plan/input.ts';
import type {Observed} from '../plan/observed.ts';
import type {ContainerInfo, Report, Summary} from '../report/event.ts';
import type {HookContext} from './apply-hook.ts';
import type {BuildImage} from './build-image.ts';
import type {Condition} from './conditions.ts';
import type {EngineClient} from './engine-client.ts';
import {combineFailures} from './failure.ts';
import {createImageWork, type RegistryAuth} from './image-work.ts';
import type {Lowering} from './lowering.ts';
import {waitForChange} from './wait.ts';
import {runWave} from './wave.ts';
import {createWorkMemory, type Expected, type WorkMemory} from './work-memory.ts';

/** What a command gets from its surroundings. */
export interface ConvergeContext {
  readonly engine: EngineClient;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** Engine calls at a time; default 16. */
  readonly parallel?: number;
  /** Asks a person, while no lock is held. Absent: the answer is no. */
  readonly ask?: (consent: Consent) => Promise<boolean>;
  /** Awaited before a container is started: what has to be in it by then. */
  readonly beforeStart?: (container: ContainerId) => Promise<void>;
  /** The credentials for pulling an image; absent: it is asked for anonymously. */
  readonly registryAuth?: RegistryAuth;
  /** Builds an image of the stack; absent: none can be built. */
  readonly build?: BuildImage;
  /** Takes what hooks write. Absent: it is told of where one fails. */
  readonly hookOutput?: HookContext['hookOutput'];
}

/** What a command wants of the world. */
export interface Goal {
  /** Its name on the command line. */
  readonly command: string;
  /** Name of the project. */
  readonly name: string;
  /** Absent where no stack file is at hand. */
  readonly project: Project | undefined;
  /** Only where containers may be created. */
  readonly lowering?: Lowering;
  readonly renewAnonymousVolumes?: boolean;
  /** It removes images. */
  readonly images?: boolean;
  /** It starts containers: hooks that one lacks since an earlier start are run too. */
  readonly starts?: boolean;
  /** The containers of these services shall be there while the command works; where one goes, it ends as canceled. */
  readonly keeps: (observed: Observed) => ReadonlySet<string>;
  readonly plan: (
    observed: Observed,
    state: {readonly memory: Memory; readonly recreateVolumes: readonly string[]},
  ) => Plan;
  /** What must become true, after everything is done, before the command ends. */
  readonly finally?: (containers: readonly Expected[]) => readonly Condition[];
  /** For all waits together; absent: no limit. */
  readonly waitTimeoutMs?: number;
}

/**
 * Works in waves. A wave holds the project's lock: it observes, plans, and does everything that can be done at once. Then
 * the lock is free while conditions are waited for, and the next wave begins with a fresh look: nothing that was seen
 * before a wait is trusted after it. Throws what failed, after everything that does not need it was done.
 *
 * A `down` during a wait wins: at the next look its containers are gone, and what is gone without this command having
 * removed it is not made again. Nothing else tells of it, so nothing can be lost, whoever is killed at whatever moment.
 */
export async function converge(goal: Goal, context: ConvergeContext): Promise<readonly ContainerInfo[]> {
  const {clock, report} = context;
  const begin = clock.now();
  const memory = createWorkMemory();
  let outcome: Summary['outcome'] = 'failed';
  try {
    await runWaves(goal, context, memory);
    outcome = 'done';
    return [...memory.expected.values()].map(({id, name, service}) => ({id, name, service}));
  } catch (error) {
    if (hasKind(error, 'canceled')) outcome = 'canceled';
    throw error;
  } finally {
    const counts = {done: memory.done, failed: memory.failures.size, skipped: memory.skipped.size};
    report({kind: 'summary', command: goal.command, summary: {outcome, tookMs: clock.now() - begin, ...counts}});
  }
}

/** How often the world may turn out to be another than the one a plan was made for: about 3 seconds in all. */
const staleAttempts = {firstMs: 50, maxMs: 2_000, attempts: 6};

async function runWaves(goal: Goal, context: ConvergeContext, memory: WorkMemory): Promise<void> {
  const delays = [...backoffDelays(staleAttempts)];
  using deadline = createDeadline(context.clock, goal.waitTimeoutMs);
  await using images = createImageWork({...context, project: goal.project, memory, now: () => context.clock.now()});
  for (let number = 1; ; number++) {
    throwIfCanceled(context.signal);
    images.planBegins();
    const wave = await runWave({goal, context, memory, number, retryStale: delays.length > 0});
    if (wave.next === 'done') break;
    if (wave.next === 'ask') {
      for (const consent of wave.consents) memory.answers.set(consent.name, (await context.ask?.(consent)) ?? false);
    } else if (wave.next === 'settle') {
      await context.clock.sleep(wave.ms, context.signal);
    } else if (wave.next === 'again') {
      const delayMs = delays.shift();
      if (delayMs === undefined)
        throw new TscomposeError('conflict', `something else keeps changing project "${goal.name}"`);
      await context.clock.sleep(delayMs, context.signal);
    } else {
      const isConditional = wave.any.length + wave.all.length > 0;
      // Until an image is there nobody waits for a container yet.
      if (isConditional) deadline.begin();
      images.begin(wave.images);
      using news = createNews([context.signal, deadline.signal]);
      const changed = isConditional
        ? waitForChange({
            ...context,
            report: reportWaits(context.report, memory),
            project: goal.name,
            any: wave.any,
            all: wave.all,
            signal: news.signal,
          })
        : news.over;
      await Promise.race([changed, ...(images.areUnderWay() ? [images.next()] : [])]);
      news.end();
      await changed;
      throwIfCanceled(context.signal);
      if (deadline.signal.aborted) throw timeoutError(goal.waitTimeoutMs ?? 0, memory);
    }
  }
  if (memory.failures.size > 0) throw combineFailures([...memory.failures.values()]);
}

function reportWaits(report: Report, memory: WorkMemory): Report {
  return (event) => {
    if (event.kind === 'waiting')
      memory.waits.set(`${event.wait.service} ${event.wait.condition}`, {wait: event.wait, detail: event.detail});
    report(event);
  };
}

function throwIfCanceled(signal: AbortSignal): void {
  if (signal.aborted) throw new TscomposeError('canceled', 'interrupted');
}

/** The words of Compose, and what was still missing. */
function timeoutError(timeoutMs: number, memory: WorkMemory): TscomposeError {
  const missing = [...memory.waits.values()].map(({detail}) => detail);
  const what = missing.length === 0 ? '' : `: ${missing.join('; ')}`;
  return new TscomposeError('timeout', `application not healthy after ${formatDuration(timeoutMs * 1e6)}${what}`);
}

/** Ends a wait: what it is for has come from elsewhere, or it is not wanted any more. */
interface News extends Disposable {
  readonly signal: AbortSignal;
  readonly over: Promise<void>;
  end(): void;
}

function createNews(signals: readonly AbortSignal[]): News {
  const ended = new AbortController();
  const signal = AbortSignal.any([...signals, ended.signal]);
  const end = () => ended.abort();
  const over = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), {once: true});
  });
  return {signal, over, end, [Symbol.dispose]: end};
}

interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** The time runs from the first wait on. */
  begin(): void;
}

function createDeadline(clock: Clock, timeoutMs: number | undefined): Deadline {
  const passed = new AbortController();
  const stop = new AbortController();
  let begun = false;
  return {
    signal: passed.signal,
    begin() {
      if (begun || timeoutMs === undefined) return;
      begun = true;
      void clock.sleep(timeoutMs, stop.signal).then(() => passed.abort());
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}
