import type {ContainerContext} from './context.ts';
import {settleLost} from './lost.ts';
import type {FoundContainer} from './reference.ts';
import {type Observation, observe} from './state.ts';

/** What is known about a container; a lost monitor is dealt with first, since whoever looks notices. */
export async function noticeLoss(context: ContainerContext, found: FoundContainer): Promise<Observation> {
  const observation = await observe(context, found.id);
  if (observation.kind !== 'lost') return observation;
  await settleLost(context, found);
  return await observe(context, found.id);
}
