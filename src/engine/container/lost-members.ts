import type {JournalEntry} from '../events.ts';
import {memberAttributes} from '../network/attach.ts';
import type {ContainerContext} from './context.ts';
import type {FoundContainer} from './reference.ts';
import {volumeAttributes} from './volume-members.ts';

/**
 * What a monitor tells of networks and volumes when its container leaves them: in the place of one that was killed. To be
 * asked for while the container still has its places on networks.
 */
export async function membershipsLeft(
  {endpoints}: Pick<ContainerContext, 'endpoints'>,
  {id, record}: FoundContainer,
): Promise<readonly JournalEntry[]> {
  const networks = await endpoints.membersOf(record);
  return [
    ...networks.map(
      (network): JournalEntry => ({
        type: 'network',
        action: 'disconnect',
        id: network.id,
        attributes: memberAttributes(id, network),
      }),
    ),
    ...record.mounts.flatMap((mount): JournalEntry[] =>
      mount.kind === 'volume'
        ? [{type: 'volume', action: 'unmount', id: mount.name, attributes: volumeAttributes(id)}]
        : [],
    ),
  ];
}
