import {existsSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import type {WaitCondition, WaitResult} from '../../api/types/container.ts';
import {hasKind} from '../../base/errors.ts';
import {isMonitorGone, watchMonitor} from '../helper/control.ts';
import {againMs, removeOnceEnded, removesItself} from './auto-remove.ts';
import type {ContainerContext} from './context.ts';
import {notice} from './notice.ts';
import {type FoundContainer, findContainer, noSuchContainer} from './reference.ts';
import {removeUnfinished} from './remove.ts';
import {isMonitorAlive, lossOf, type MonitorState, type Observation, observe, toContainerState} from './state.ts';

/**
 * Resolves with the exit code once the condition holds. `onReady` is called once no exit from then on is missed.
 * Throws `notFound`, `canceled` by the signal.
 */
export async function waitForContainer(
  context: ContainerContext,
  reference: string,
  condition: WaitCondition,
  signal?: AbortSignal,
  onReady: () => void = () => {},
): Promise<WaitResult> {
  const found = await findContainer(context.layout, reference);
  if (condition !== 'not-running') return await waitForEvent(context, found, {reference, condition, signal, onReady});
  onReady();
  return await waitUntilStopped(context, found, signal);
}

function toResult(observation: Observation): WaitResult {
  const {ExitCode, Error: message} = toContainerState(observation);
  return {StatusCode: ExitCode, ...(message === '' ? {} : {Error: {Message: message}})};
}

/**
 * Until the run under way ends. One that no other follows is over when the monitor is gone: by then its events are written,
 * and nothing is held any more.
 */
async function waitUntilStopped(
  context: ContainerContext,
  found: FoundContainer,
  signal: AbortSignal | undefined,
): Promise<WaitResult> {
  let last: MonitorState | undefined;
  let pauseMs = 1;
  for (;;) {
    const observation = await notice(context, found);
    if (observation === undefined) throw noSuchContainer(found.id);
    if (observation.kind === 'live') {
      const told = await followMonitor(context, found, signal, 'restarting');
      if (told?.status === 'restarting') return endedWith(told);
      // Whoever removes it now may be quicker than the next look.
      if (removesItself(found) && told?.status === 'exited') return endedWith(told);
      last = told ?? observation.state;
    }
    // A monitor that was killed while it cleared up leaves this state for good.
    else if (
      observation.kind === 'exited' &&
      observation.ending &&
      (await isMonitorAlive(context, found.id, observation.state))
    ) {
      last = observation.state;
      await delay(pauseMs);
      // Mostly it is a matter of a few; what takes longer waits for a disk.
      pauseMs = Math.min(2 * pauseMs, 10);
    }
    // Removed before this look at it: what it was last is all that is known.
    else if (observation.kind === 'created' && last !== undefined && !(await stillExists(context, found.id)))
      return endedWith(last.status === 'exited' ? last : lossOf(last, context.now));
    else return toResult(observation);
    signal?.throwIfAborted();
  }
}

function endedWith(state: MonitorState): WaitResult {
  return toResult({kind: 'exited', state, ending: false});
}

/** Answers the last state that it told: at its end, or once it comes to `until` from another one. */
async function followMonitor(
  context: ContainerContext,
  {id}: FoundContainer,
  signal: AbortSignal | undefined,
  until?: MonitorState['status'],
): Promise<MonitorState | undefined> {
  let last: MonitorState | undefined;
  try {
    for await (const state of watchMonitor<MonitorState>(context.layout.container(id).control, signal)) {
      const arrived = state.status === until && last !== undefined && last.status !== until;
      last = state;
      if (arrived) return last;
    }
  } catch (error) {
    if (!isMonitorGone(error)) throw error;
    // About to end: its last word comes in a moment.
    await delay(5);
  }
  return last;
}

interface EventWait {
  readonly reference: string;
  readonly condition: 'next-exit' | 'removed';
  readonly signal: AbortSignal | undefined;
  readonly onReady: () => void;
}

/** By the journal, which also tells of a container that is started later, or by another process. */
async function waitForEvent(
  context: ContainerContext,
  found: FoundContainer,
  {reference, condition, signal, onReady}: EventWait,
): Promise<WaitResult> {
  using ended = endWith(signal);
  let ready: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const events = context.events
    .entries({filters: {type: ['container'], container: [found.id]}, onReady: ready}, ended.signal)
    [Symbol.asyncIterator]();
  let next = events.next();
  const others: Promise<void>[] = [];
  try {
    await Promise.race([opened, next]);
    let result = toResult(await observe(context, found.id));
    // A monitor that is killed writes no event: whoever sees its connection end has it written.
    others.push(watchForLoss(context, found, ended.signal), finishKilledRemoval(context, found, ended));
    if (!(await stillExists(context, found.id))) {
      if (condition !== 'removed') throw noSuchContainer(reference);
      // Removed between the two looks: told of by now, or by the next event.
      const told = await toldRemoval(context, found);
      if (told !== undefined) return told;
    }
    onReady();
    for (;;) {
      const {value: event, done} = await next;
      if (done) break;
      if (event.action === 'die') {
        const code = Number(event.attributes['exitCode'] ?? 0);
        if (condition === 'next-exit') return {StatusCode: code};
        // Whoever removes it may be quicker than this look.
        const seen = await observe(context, found.id);
        result = seen.kind === 'created' ? {StatusCode: code} : {...toResult(seen), StatusCode: code};
      }
      // Of a wait for its next exit too: that will not come.
      if (event.action === 'destroy') return {...result, StatusCode: event.exitCode ?? result.StatusCode};
      next = events.next();
    }
    signal?.throwIfAborted();
    // It is gone without a word: the journal had no room for one.
    if (condition !== 'removed') throw noSuchContainer(reference);
    return result;
  } finally {
    ended.end();
    await events.return?.(undefined);
    await Promise.all(others);
  }
}

/** What the journal says so far of how a container that was removed had ended. */
async function toldRemoval(context: ContainerContext, {id, record}: FoundContainer): Promise<WaitResult | undefined> {
  const since = Date.parse(record.created) / 1000;
  const filters = {type: ['container'], container: [id], event: ['destroy']};
  for await (const {exitCode = 0} of context.events.entries({since, until: context.now() / 1000, filters}))
    return {StatusCode: exitCode};
  return undefined;
}

/** How often a wait looks whether somebody who was removing the container was killed at it. */
const lookMs = 1000;

/** Whoever removes a container tells of it last: where that process was killed, nobody would, so this one finishes it. */
async function finishKilledRemoval(
  context: ContainerContext,
  {id}: FoundContainer,
  {signal, end}: ReturnType<typeof endWith>,
): Promise<void> {
  try {
    for (;;) {
      await delay(lookMs, undefined, {signal});
      if (existsSync(context.layout.container(id).directory)) continue;
      if (await removeUnfinished(context, id)) break;
    }
    // What the journal says of it comes first.
    await delay(lookMs, undefined, {signal});
    end();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function watchForLoss(context: ContainerContext, found: FoundContainer, signal: AbortSignal): Promise<void> {
  const starts = context.events
    .follow({filters: {type: ['container'], container: [found.id], event: ['start']}}, signal)
    [Symbol.asyncIterator]();
  try {
    for (;;) {
      const start = starts.next();
      await followMonitor(context, found, signal);
      await notice(context, found);
      while (removesItself(found) && !(await removeOnceEnded(context, found, signal))) {
        if ((await observe(context, found.id)).kind !== 'live') break;
        // Started again, or too busy to be connected to.
        await delay(againMs, undefined, {signal});
        await followMonitor(context, found, signal);
      }
      if ((await start).done) return;
    }
  } catch (error) {
    if (!signal.aborted && !hasKind(error, 'notFound')) throw error;
  } finally {
    // The journal stays open where a start was told of that nobody came to read.
    await starts.return?.(undefined);
  }
}

async function stillExists(context: ContainerContext, id: string): Promise<boolean> {
  try {
    await findContainer(context.layout, id);
    return true;
  } catch (error) {
    if (hasKind(error, 'notFound')) return false;
    throw error;
  }
}

/** A signal of our own that also follows the caller's. */
function endWith(signal: AbortSignal | undefined): Disposable & {readonly signal: AbortSignal; end(): void} {
  const controller = new AbortController();
  const end = () => controller.abort();
  signal?.addEventListener('abort', end, {once: true});
  if (signal?.aborted) end();
  return {
    signal: controller.signal,
    end,
    [Symbol.dispose]() {
      signal?.removeEventListener('abort', end);
      end();
    },
  };
}
