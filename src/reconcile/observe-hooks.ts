import {mapLimited} from '../base/concurrency.ts';
import {hasKind} from '../base/errors.ts';
import type {Project} from '../model/types.ts';
import type {ContainerId} from '../plan/action.ts';
import {hooksOf} from '../plan/hooks.ts';
import type {ObservedContainer} from '../plan/observed.ts';
import type {EngineClient} from './engine-client.ts';

const inspectsAtOnce = 8;

/** A remote engine's clock may be behind ours: its replay then ends as much later. After this long we do without. */
const longestReplayMs = 10_000;

/**
 * Which `post_start` hooks running containers have had since their start, as the engine's events tell: nothing else does
 * that would outlive a command that was killed. Where the events do not reach back to the start, and where a restart policy
 * started the container, nothing is known, so nothing is missing.
 */
export async function observeHooks(
  engine: EngineClient,
  containers: readonly ObservedContainer[],
  {project, now}: {readonly project: Project; readonly now: number},
): Promise<readonly ObservedContainer[]> {
  const hooked = containers.filter(
    ({status, oneOff, service}) =>
      status === 'running' && !oneOff && hooksOf(project, service, 'post_start').length > 0,
  );
  const starts = new Map((await mapLimited(hooked, inspectsAtOnce, (one) => startOf(engine, one))).flat());
  if (starts.size === 0) return containers;
  const commands = new Map(
    hooked.map(({id, service}) => [id, hooksOf(project, service, 'post_start').map(({command}) => command.join(' '))]),
  );
  const done = await replay(engine, {
    commands,
    starts,
    // Past the last millisecond that has begun.
    until: (now + 1) / 1000,
  });
  return containers.map((container) => {
    const hooksDone = done.get(container.id);
    return hooksDone === undefined ? container : {...container, hooksDone};
  });
}

/** When it was started by a command, in ms. */
async function startOf(
  engine: EngineClient,
  {id}: ObservedContainer,
): Promise<readonly (readonly [ContainerId, number])[]> {
  try {
    const {State, RestartCount} = await engine.getContainer(id).inspect();
    return RestartCount > 0 ? [] : [[id, Date.parse(State.StartedAt)]];
  } catch (error) {
    if (hasKind(error, 'notFound')) return [];
    throw error;
  }
}

interface Replay {
  /** By container: the commands of its hooks, as events tell them. */
  readonly commands: ReadonlyMap<string, readonly string[]>;
  /** By container: when it was started, in ms. */
  readonly starts: ReadonlyMap<string, number>;
  readonly until: number;
}

/** What happened in a container since its start. */
interface Since {
  /** The events reach back to the start. */
  started: boolean;
  /** In their order. */
  readonly begun: {readonly id: string; readonly command: string}[];
  /** Ids of those that ended well. */
  readonly well: Set<string>;
}

/**
 * By container whose start is among the events: how many of its hooks ended well after it. What comes after the start is
 * told by the time of an event: their order is not exact, for several processes note them.
 */
async function replay(engine: EngineClient, {commands, starts, until}: Replay): Promise<ReadonlyMap<string, number>> {
  const found = new Map(
    [...starts.keys()].map((id): [string, Since] => [id, {started: false, begun: [], well: new Set()}]),
  );
  const abortSignal = AbortSignal.timeout(longestReplayMs);
  const filters = {type: ['container'], container: [...starts.keys()]};
  const since = Math.min(...starts.values()) / 1000;
  try {
    for await (const {Action, Actor, timeNano} of await engine.getEvents({since, until, filters, abortSignal})) {
      const one = found.get(Actor.ID);
      // The last digits are lost in a number, and not every time has them.
      if (one === undefined || Math.floor(timeNano / 1e6) < Math.floor(starts.get(Actor.ID) ?? 0)) continue;
      const {execID: id, exitCode} = Actor.Attributes;
      if (Action === 'start') one.started = true;
      if (id === undefined) continue;
      if (Action.startsWith(created)) one.begun.push({id, command: Action.slice(created.length).trim()});
      else if (Action === 'exec_die' && exitCode === '0') one.well.add(id);
    }
  } catch (error) {
    if (!abortSignal.aborted) throw error;
    return new Map();
  }
  return new Map(
    [...found].flatMap(([id, {started, begun, well}]) =>
      started ? [[id, countDone(commands.get(id) ?? [], begun, well)] as const] : [],
    ),
  );
}

/** What Docker puts before the command, and a space after one without arguments. */
const created = 'exec_create: ';

/** How many hooks ended well, one after the other. */
function countDone(
  commands: readonly string[],
  begun: readonly {readonly id: string; readonly command: string}[],
  well: ReadonlySet<string>,
): number {
  let done = 0;
  for (const {id, command} of begun) if (well.has(id) && command === commands[done]?.trim()) done += 1;
  return done;
}

const longestWaitMs = 2_000;

/**
 * Waits until the end of a command is among the engine's events: whoever looks next must find it there. An engine notes it
 * a moment after it has told us. One whose clock is another is not waited for any longer.
 */
export async function awaitNoted(
  engine: EngineClient,
  {container, exec, since}: {readonly container: ContainerId; readonly exec: string; readonly since: number},
): Promise<void> {
  const abortSignal = AbortSignal.timeout(longestWaitMs);
  const filters = {type: ['container'], container: [container], event: ['exec_die']};
  try {
    for await (const {Actor} of await engine.getEvents({since: since / 1000 - 1, filters, abortSignal})) {
      if (Actor.Attributes['execID'] === exec) return;
    }
  } catch (error) {
    if (!abortSignal.aborted) throw error;
  }
}
