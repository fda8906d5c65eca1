import {TscomposeError} from '../../base/errors.ts';

/** In the kernel's order: the index is the bit (include/uapi/linux/capability.h). */
const names = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

export type CapabilityName = (typeof names)[number];

/** What a privileged process gets. */
export const allCapabilities: readonly CapabilityName[] = names;

/** Whether it is one, without `CAP_` and in capitals. */
export function isCapability(name: string): name is CapabilityName {
  return (names as readonly string[]).includes(name);
}

/** What a container gets unless told otherwise: Docker's 14. */
const defaults: readonly CapabilityName[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
];

/** A container's capabilities: the defaults without `drop`, with `add`; `ALL` in either as in Docker. Throws `invalid` for an unknown one. */
export function resolveCapabilities(add: readonly string[], drop: readonly string[]): readonly CapabilityName[] {
  const added = add.map(parseCapability);
  const dropped = drop.map(parseCapability);
  const base: readonly CapabilityName[] = added.includes('ALL') ? names : dropped.includes('ALL') ? [] : defaults;
  const kept = base.filter((name) => !dropped.includes(name));
  return [...kept, ...added.filter((name): name is CapabilityName => name !== 'ALL' && !kept.includes(name))];
}

/** Names with or without `CAP_`, in any case. */
function parseCapability(text: string): CapabilityName | 'ALL' {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  if (name === 'ALL') return 'ALL';
  if (!isCapability(name)) throw new TscomposeError('invalid', `invalid capability: "${text}"`);
  return name;
}

/** 64-bit mask in hex, without those that the running kernel does not know. */
export function capabilityMask(capabilities: readonly CapabilityName[], lastCapability: number): string {
  let mask = 0n;
  for (const name of capabilities) {
    const bit = names.indexOf(name);
    if (bit <= lastCapability) mask |= 1n << BigInt(bit);
  }
  return mask.toString(16);
}
