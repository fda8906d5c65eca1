import {join} from 'node:path';
import type {HostConfig} from '../../api/types/container.ts';
import type {Operation} from '../helper/operations.ts';
import type {DeviceNumbers} from './block-devices.ts';
import type {CgroupPlace} from './cgroup-place.ts';
import {findController, refuseMissing} from './limit-support.ts';
import type {LimitWrite} from './limit-write.ts';
import {type Limits, resolveLimits} from './limits.ts';
import {limitsV1} from './limits-v1.ts';
import {limitsV2} from './limits-v2.ts';
import type {Machine} from './machine.ts';

export type CgroupWrite = Operation<'cgroupWrite'>;

/** The writes that give a container its limits. Throws `unsupported` for one that the kernel cannot keep. */
export function planLimits(
  machine: Machine,
  place: CgroupPlace,
  host: HostConfig,
  devices: DeviceNumbers,
): readonly CgroupWrite[] {
  refuseMissing(machine, host);
  return placeWrites(machine, place, resolveLimits(host, devices));
}

/** The writes that lead a running container from the limits of `before` to those of `after`, in an order that the kernel takes. */
export function planLimitChange(
  machine: Machine,
  place: CgroupPlace,
  {before, after}: {readonly before: HostConfig; readonly after: HostConfig},
): readonly CgroupWrite[] {
  refuseMissing(machine, after);
  // Devices are given for good, at creation.
  const [present, wanted] = [before, after].map((host) => resolveLimits({...host, ...withoutDevices}, new Map()));
  if (present === undefined || wanted === undefined) return [];
  const held = new Map(placeWrites(machine, place, present).map(({path, value}) => [path, value]));
  const lifted: LimitWrite[] =
    present.pids !== undefined && wanted.pids === undefined
      ? [{controller: 'pids', file: 'pids.max', value: 'max'}]
      : [];
  return [
    ...placeWrites(machine, place, wanted, present).filter(({path, value}) => held.get(path) !== value),
    ...lifted.flatMap((write) => placed(machine, place, write)),
  ];
}

const withoutDevices = {
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceWriteIOps: [],
} as const satisfies HostConfig;

/** In a hybrid each controller is in one of the hierarchies: what is for the other version is left out. */
function placeWrites(machine: Machine, place: CgroupPlace, wanted: Limits, present?: Limits): readonly CgroupWrite[] {
  const versions = {
    1: limitsV1(wanted, present),
    2: limitsV2(wanted, machine.limits.files.has('io.cost.qos')),
  } as const;
  return ([1, 2] as const).flatMap((version) =>
    versions[version]
      .filter(({controller}) => findController(machine, controller)?.version === version)
      .flatMap((write) => placed(machine, place, write)),
  );
}

function placed(
  machine: Machine,
  {cgroupParent, id}: CgroupPlace,
  {controller, file, value, optional}: LimitWrite,
): readonly CgroupWrite[] {
  const found = findController(machine, controller);
  if (found === undefined) return [];
  const path = join(found.mount, cgroupParent, id, file);
  return [{kind: 'cgroupWrite', path, value: String(value), optional: optional === true}];
}
