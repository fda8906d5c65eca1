import {hasKind, TscomposeError} from '../../base/errors.ts';
import {callMonitor, isMonitorGone} from '../helper/control.ts';
import {eventAttributesText, publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {parseContainerName} from './name.ts';
import {freeNameAndOthers} from './names.ts';
import {withContainer} from './operation.ts';
import type {ContainerRecord} from './record.ts';
import {reserveFor} from './reserve.ts';

/** Throws `conflict` when another container has the name. */
export async function renameContainer(context: ContainerContext, reference: string, given: string): Promise<void> {
  const name = parseContainerName(given);
  await withContainer(context, reference, async ({id, name: oldName, record}) => {
    if (name === oldName)
      throw new TscomposeError('invalid', 'Renaming a container with the same name as its current name');
    const {directory} = context.layout.container(id);
    await reserveFor(context, name, {id, directory});
    await context.endpoints.rename(record, name);
    // Last: who is killed before that leaves a container that can be renamed to the same name again.
    await freeNameAndOthers(context.layout, {id, name: oldName, directory, kept: name});
    await tellMonitor(context, record, name);
    await publishContainerEvent(context, record, name, 'rename', {oldName: `/${oldName}`});
  });
}

/** The events of a running container tell its new name. A monitor of an earlier version goes on with the old one. */
async function tellMonitor({layout}: ContainerContext, record: ContainerRecord, name: string): Promise<void> {
  const attributes = eventAttributesText(record, name);
  await callMonitor(layout.container(record.id).control, {kind: 'describe', attributes}).catch((error: unknown) => {
    if (!isMonitorGone(error) && !hasKind(error, 'invalid')) throw error;
  });
}
