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

/**
 * Whether a kernel setting, with dots or slashes, is a container's own: any other one would change the machine, and with
 * the machine's network, or its shared memory and message queues, those of these do.
 */
export function isOfContainer(
  name: string,
  modes: {readonly network?: string | undefined; readonly ipc?: string | undefined},
): boolean {
  const key = name.replaceAll('/', '.');
  if (key.startsWith('net.')) return modes.network !== 'host';
  return modes.ipc !== 'host' && (ipc.has(key) || key.startsWith('fs.mqueue.'));
}
