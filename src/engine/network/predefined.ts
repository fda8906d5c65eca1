import type {NetworkInspect} from '../../api/types/network.ts';
import {sha256Hex} from '../../base/canonical-json.ts';

import {defaultBridgeName} from './default-bridge.ts';

/** Network modes that the Engine API lists as networks: they have no record and nothing on the machine. */
const drivers: Readonly<Record<string, string>> = {host: 'host', none: 'null'};

/** Names that nobody can give to a network. */
export function isPredefined(name: string): boolean {
  return Object.hasOwn(drivers, name) || name === defaultBridgeName || name === 'default';
}

export const predefinedNetworks: readonly NetworkInspect[] = Object.entries(drivers).map(([Name, Driver]) => ({
  Name,
  Id: sha256Hex(`predefined network ${Name}`),
  Created: '0001-01-01T00:00:00Z',
  Scope: 'local',
  Driver,
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: {Driver: 'default', Options: null, Config: null},
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: {Network: ''},
  ConfigOnly: false,
  Containers: {},
  Options: {},
  Labels: {},
}));
