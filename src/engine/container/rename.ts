import {TscomposeError} from '../../base/errors.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {parseContainerName} from './name.ts';
import {freeName} from './names.ts';
import {withContainer} from './operation.ts';
import {reserveFor} from './reserve.ts';

/** Throws `conflict` when another container has the name. */
export async function renameContainer(context: ContainerContext, reference: string, given: string): Promise<void> {
  const name = parseContainerName(given);
  await withContainer(context, reference, async ({id, name: oldName, record}) => {
    if (name === oldName)
      throw new TscomposeError('invalid', 'Renaming a container with the same name as its current name');
    await reserveFor(context, name, {id, directory: context.layout.container(id).directory});
    await freeName(context.layout, oldName, id);
    await context.endpoints.rename(record, name);
    await publishContainerEvent(context, record, name, 'rename', {oldName: `/${oldName}`});
  });
}
