import {noticeEnded, removesItself} from './auto-remove.ts';
import type {ContainerContext} from './context.ts';
import {settleLost} from './lost.ts';
import type {FoundContainer} from './reference.ts';
import {type Observation, observe} from './state.ts';

/**
 * What is known about a container. A lost monitor is dealt with first, since whoever looks notices, and a container that
 * removes itself is removed where it has ended: then there is nothing to know.
 */
export async function notice(context: ContainerContext, found: FoundContainer): Promise<Observation | undefined> {
  let observation = await observe(context, found.id);
  if (observation.kind === 'lost') {
    await settleLost(context, found);
    observation = await observe(context, found.id);
  }
  const isOver = removesItself(found) && observation.kind === 'exited' && !observation.ending;
  return isOver && (await noticeEnded(context, found)) ? undefined : observation;
}
