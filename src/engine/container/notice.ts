import {noticeEnded, removesItself} from './auto-remove.ts';
import type {ContainerContext} from './context.ts';
import {endKilledCommit} from './killed-commit.ts';
import {settleLost} from './lost.ts';
import type {FoundContainer} from './reference.ts';
import {isPaused, type Observation, observe} from './state.ts';

/**
 * What is known about a container. A lost monitor is dealt with first, since whoever looks notices; a container that is
 * paused by a commit that was killed goes on; one that removes itself is removed where it has ended: then there is nothing
 * to know.
 */
export async function notice(context: ContainerContext, found: FoundContainer): Promise<Observation | undefined> {
  let observation = await observe(context, found.id);
  if (observation.kind === 'lost') {
    await settleLost(context, found);
    observation = await observe(context, found.id);
  }
  if (isPaused(observation) && (await endKilledCommit(context, found.id)))
    observation = await observe(context, found.id);
  const isOver = removesItself(found) && observation.kind === 'exited' && !observation.ending;
  return isOver && (await noticeEnded(context, found)) ? undefined : observation;
}
