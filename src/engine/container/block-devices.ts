import type {BigIntStats} from 'node:fs';
import {stat} from 'node:fs/promises';
import type {HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';

/** `major:minor` of each block device, by its path. */
export type DeviceNumbers = ReadonlyMap<string, string>;

/** Looks up the devices that limits of input and output name: their numbers may be others at each start. Throws `invalid`. */
export async function readDeviceNumbers(host: HostConfig): Promise<DeviceNumbers> {
  const numbers = new Map<string, string>();
  for (const path of limitedDevices(host)) numbers.set(path, await readNumber(path));
  return numbers;
}

function limitedDevices(host: HostConfig): ReadonlySet<string> {
  const lists = [
    host.BlkioWeightDevice,
    host.BlkioDeviceReadBps,
    host.BlkioDeviceReadIOps,
    host.BlkioDeviceWriteBps,
    host.BlkioDeviceWriteIOps,
  ];
  return new Set(lists.flatMap((list) => (list ?? []).map(({Path}) => Path)));
}

async function readNumber(path: string): Promise<string> {
  let status: BigIntStats;
  try {
    status = await stat(path, {bigint: true});
  } catch (error) {
    throw new TscomposeError('invalid', `stat ${path}: no such file or directory`, {
      hint: 'limits of input and output name block devices of the machine, like /dev/sda',
      cause: error,
    });
  }
  if (!status.isBlockDevice()) {
    throw new TscomposeError('invalid', `cannot limit input and output of ${path}: it is not a block device`, {
      hint: 'name the disk itself, like /dev/sda',
    });
  }
  return `${majorOf(status.rdev)}:${minorOf(status.rdev)}`;
}

/** As makedev(3) of glibc packs them. */
function majorOf(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xff_fff_000n);
}

function minorOf(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & 0xff_fff_f00n);
}
