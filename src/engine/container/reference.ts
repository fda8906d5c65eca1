import {TscomposeError} from '../../base/errors.ts';
import type {Layout} from '../layout.ts';
import {idOfName, nameOfId} from './names.ts';
import {type ContainerRecord, readContainerIds, readContainerRecord} from './record.ts';

/** A container that exists, with its present name. */
export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  readonly record: ContainerRecord;
}

/** By full id, name (with or without a leading slash) or unambiguous id prefix, in this order. Throws `notFound` or `invalid`. */
export async function findContainer(layout: Layout, reference: string): Promise<FoundContainer> {
  const id = await findId(layout, reference);
  const record = id === undefined ? undefined : await readContainerRecord(layout, id);
  const name = record === undefined ? undefined : await nameOfId(layout, record.id, record.name);
  if (record === undefined || name === undefined) throw noSuchContainer(reference);
  return {id: record.id, name, record};
}

export function noSuchContainer(reference: string): TscomposeError {
  return new TscomposeError('notFound', `No such container: ${reference}`);
}

async function findId(layout: Layout, reference: string): Promise<string | undefined> {
  if (/^[0-9a-f]{64}$/.test(reference)) return reference;
  const named = await idOfName(layout, reference.replace(/^\//, ''));
  if (named !== undefined) return named;
  if (!/^[0-9a-f]+$/.test(reference)) return undefined;
  const matches = (await readContainerIds(layout)).filter((id) => id.startsWith(reference));
  if (matches.length > 1) throw new TscomposeError('invalid', `multiple IDs found with provided prefix: ${reference}`);
  return matches[0];
}
