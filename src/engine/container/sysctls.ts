import {TscomposeError} from '../../base/errors.ts';

/** Settings that belong to the IPC namespace (ipc_namespaces(7)); those below fs.mqueue and net have namespaces too. */
const ipc: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** Refuses whatever would change the machine. Throws `invalid`. */
export function checkSysctls(sysctls: Readonly<Record<string, string>>, networkMode: string): void {
  for (const given of Object.keys(sysctls)) {
    const key = given.replaceAll('/', '.');
    if (key.includes('..') || key.startsWith('.'))
      throw new TscomposeError('invalid', `sysctl "${given}" is no name of a kernel setting`);
    if (key.startsWith('net.')) {
      if (networkMode === 'host')
        throw new TscomposeError('invalid', `sysctl "${given}" not allowed in host network namespace`);
    } else if (!ipc.has(key) && !key.startsWith('fs.mqueue.')) {
      throw new TscomposeError('invalid', `sysctl "${given}" is not in a separate kernel namespace`, {
        hint: 'set it on the machine itself',
      });
    }
  }
}

/** In a network of its own a container's root may use every port and ping without privileges, as with Docker. */
export function completeSysctls(
  sysctls: Readonly<Record<string, string>>,
  networkMode: string,
): Readonly<Record<string, string>> {
  if (networkMode === 'host') return sysctls;
  return {'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647', ...sysctls};
}
