import {isOfContainer} from '../../api/sysctls.ts';
import type {HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {containerOfMode} from './namespace-modes.ts';

type NamespaceModes = Pick<HostConfig, 'NetworkMode' | 'IpcMode'>;

/** Refuses whatever would change the machine. Throws `invalid`. */
export function checkSysctls(sysctls: Readonly<Record<string, string>>, modes: NamespaceModes): void {
  for (const given of Object.keys(sysctls)) {
    const key = given.replaceAll('/', '.');
    if (key.includes('..') || key.startsWith('.'))
      throw new TscomposeError('invalid', `sysctl "${given}" is not the name of a kernel setting`);
    if (isOfContainer(given, {network: modes.NetworkMode, ipc: modes.IpcMode})) continue;
    if (key.startsWith('net.'))
      throw new TscomposeError('invalid', `sysctl "${given}" not allowed in host network namespace`);
    if (isOfContainer(given, {}))
      throw new TscomposeError('invalid', `sysctl "${given}" is not allowed in the hosts ipc namespace`);
    throw new TscomposeError(
      'invalid',
      `sysctl "${given}" cannot be set for one container: it applies to the whole machine`,
      {hint: 'remove it from "sysctls"; if you need it, set it on the machine itself'},
    );
  }
}

/** In a network of its own a container's root may use every port and ping without privileges, as with Docker; so where it joins one. A user namespace has groups up to `lastGroup`. */
export function completeSysctls(
  sysctls: Readonly<Record<string, string>>,
  networkMode: string,
  lastGroup = 2_147_483_647,
): Readonly<Record<string, string>> {
  if (networkMode === 'host' || containerOfMode(networkMode) !== undefined) return sysctls;
  return {'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': `0 ${lastGroup}`, ...sysctls};
}
