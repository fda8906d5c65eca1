import type {EndpointSettings} from '../../api/types/container.ts';
import type {ContainerRecord} from '../container/record.ts';
import {isDefaultBridge} from './default-bridge.ts';
import type {NetworkRecord} from './network-record.ts';

/**
 * What the name service of a network answers for: as Docker, the container's name, aliases, short id and host name. Nothing
 * on the default network, which has none.
 */
export function namesOn(
  network: NetworkRecord | undefined,
  {record, name}: {readonly record: ContainerRecord; readonly name: string},
  {Aliases}: EndpointSettings,
): readonly string[] {
  if (network === undefined || isDefaultBridge(network)) return [];
  const names = [name, ...(Aliases ?? []), record.id.slice(0, 12), record.config.Hostname ?? ''];
  return [...new Set(names.map((text) => text.toLowerCase()).filter((text) => /^\S+$/.test(text)))];
}
