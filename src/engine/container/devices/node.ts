import {lstat} from 'node:fs/promises';

/** A device file, of the machine or for a container. */
export interface DeviceNode {
  /** The machine's file. */
  readonly source: string;
  readonly target: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What a path of the machine is, no link followed; undefined for anything but a device. Throws the error of lstat(2). */
export async function readNode(source: string, target: string): Promise<DeviceNode | undefined> {
  const status = await lstat(source, {bigint: true});
  if (!status.isCharacterDevice() && !status.isBlockDevice()) return undefined;
  return {
    source,
    target,
    type: status.isBlockDevice() ? 'b' : 'c',
    ...numbersOf(status.rdev),
    mode: Number(status.mode & 0o777n),
    uid: Number(status.uid),
    gid: Number(status.gid),
  };
}

/** How dev_t holds both numbers (sys/sysmacros.h): each in two pieces. */
function numbersOf(device: bigint): {readonly major: number; readonly minor: number} {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  };
}

/** The line of devices.allow that lets a container use it. */
export function ruleFor({type, major, minor}: DeviceNode, permissions: string): string {
  return `${type} ${major}:${minor} ${permissions}`;
}
