import {type JournalEntry, shorten} from '../events.ts';
import type {ContainerContext} from './context.ts';
import type {ContainerRecord} from './record.ts';

/** What events about a container carry: its labels, image and name. */
function eventAttributes(record: ContainerRecord, name: string): Readonly<Record<string, string>> {
  return {...record.config.Labels, image: record.config.Image ?? '', name};
}

/** The text that a monitor puts into its own events: it adds little to it, and a line holds 4 kB. */
export function eventAttributesText(record: ContainerRecord, name: string): string {
  return JSON.stringify(shorten(eventAttributes(record, name), 3000)).slice(1, -1);
}

export async function publishContainerEvent(
  context: ContainerContext,
  record: ContainerRecord,
  name: string,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): Promise<void> {
  await context.events.append(containerEntry(record, name, action, attributes));
}

/** Of a container that was removed. `exitCode`: how it ended, if it ever began. */
export async function publishRemoval(
  context: ContainerContext,
  {record, name, exitCode}: {readonly record: ContainerRecord; readonly name: string; readonly exitCode?: number},
): Promise<void> {
  const entry = containerEntry(record, name, 'destroy');
  await context.events.append(exitCode === undefined ? entry : {...entry, exitCode});
}

function containerEntry(
  record: ContainerRecord,
  name: string,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): JournalEntry {
  return {type: 'container', action, id: record.id, attributes: {...eventAttributes(record, name), ...attributes}};
}
