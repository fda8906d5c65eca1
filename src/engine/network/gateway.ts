import type {EndpointSettings} from '../../api/types/container.ts';
import type {NetworkRecord} from './network-record.ts';

/** A network that a container is to be on. */
export interface Membership {
  readonly network: NetworkRecord;
  readonly settings: EndpointSettings;
}

/**
 * The network that the default route of a family leads through: the highest priority, then the first by name, as Docker
 * chooses. Internal networks lead nowhere.
 */
export function gatewayNetwork(memberships: readonly Membership[], family: 4 | 6): NetworkRecord | undefined {
  const candidates = memberships.filter(
    ({network}) => !network.internal && (family === 4 ? network.ipv4 : network.ipv6),
  );
  const [first] = candidates.sort(
    (a, b) =>
      (b.settings.GwPriority ?? 0) - (a.settings.GwPriority ?? 0) ||
      (a.network.name < b.network.name ? -1 : a.network.name > b.network.name ? 1 : 0),
  );
  return first?.network;
}
