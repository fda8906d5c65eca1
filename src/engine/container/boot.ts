import {mapLimited} from '../../base/concurrency.ts';
import {hasKind, toTscomposeError} from '../../base/errors.ts';
import type {ContainerContext} from './context.ts';
import {notice} from './notice.ts';
import {readContainerIds} from './record.ts';
import {findContainer} from './reference.ts';
import {startContainer} from './start.ts';
import {observe} from './state.ts';

/** A container that was to run after the machine came up. */
export interface Booted {
  readonly id: string;
  readonly name: string;
  /** Why it does not run. */
  readonly error?: string;
}

const atOnce = 4;

/**
 * Settles what the machine's end cut short and starts what is to run: `always` whatever was before, `unless-stopped` unless
 * somebody stopped it, `on-failure` where it failed or was cut short, as Docker does when its daemon starts. One that never ran
 * is left alone. What shares a namespace of another is tried again when more runs.
 */
export async function bootContainers(context: ContainerContext): Promise<readonly Booted[]> {
  const ids = await readContainerIds(context.layout);
  const wanted = (await mapLimited(ids, atOnce, (id) => wantedAfterBoot(context, id))).filter(
    (one) => one !== undefined,
  );
  const done = new Map<string, Booted>();
  for (let waiting = wanted; waiting.length > 0; ) {
    const results = await mapLimited(waiting, atOnce, (one) => startOne(context, one));
    for (const {booted} of results) done.set(booted.id, booted);
    const again = results.filter(({later}) => later).map(({booted: {id, name}}) => ({id, name}));
    if (again.length === waiting.length) break;
    waiting = again;
  }
  return wanted.map(({id, name}) => done.get(id) ?? {id, name});
}

async function wantedAfterBoot(context: ContainerContext, id: string): Promise<Booted | undefined> {
  try {
    const found = await findContainer(context.layout, id);
    const before = await observe(context, id);
    // By the restart policy it may start the container.
    const after = await notice(context, found);
    const {Name = 'no', MaximumRetryCount = 0} = found.record.hostConfig.RestartPolicy ?? {};
    if (before.kind === 'lost' && after?.kind === 'live') return {id, name: found.name};
    if (after?.kind !== 'exited') return undefined;
    const {stoppedByUser, exitCode, restartCount} = after.state;
    const failed = !stoppedByUser && exitCode !== 0 && (MaximumRetryCount === 0 || restartCount < MaximumRetryCount);
    const isWanted =
      Name === 'always' || (Name === 'unless-stopped' && !stoppedByUser) || (Name === 'on-failure' && failed);
    return isWanted ? {id, name: found.name} : undefined;
  } catch (error) {
    // Removed meanwhile.
    if (hasKind(error, 'notFound')) return undefined;
    return {id, name: id.slice(0, 12), error: toTscomposeError(error).message};
  }
}

async function startOne(
  context: ContainerContext,
  {id, name, error: unreadable}: Booted,
): Promise<{readonly booted: Booted; readonly later: boolean}> {
  if (unreadable !== undefined) return {booted: {id, name, error: unreadable}, later: false};
  try {
    await startContainer(context, id);
    return {booted: {id, name}, later: false};
  } catch (error) {
    if (hasKind(error, 'notModified')) return {booted: {id, name}, later: false};
    return {booted: {id, name, error: toTscomposeError(error).message}, later: hasKind(error, 'conflict')};
  }
}
