import type {Operation} from '../../helper/operations.ts';
import type {RecordedMount} from '../record.ts';
import type {ContainerDevices} from './gather.ts';
import type {DeviceNode} from './node.ts';

/** The steps that make device files; none where the container mounts a /dev of its own, which has what it has. */
export function planDevices(
  {nodes}: ContainerDevices,
  mounts: readonly RecordedMount[],
): readonly Operation<'device'>[] {
  const ownDev = mounts.some(({target}) => target === '/dev');
  return nodes.filter(({target}) => !ownDev || !target.startsWith('/dev/')).map(planDevice);
}

function planDevice({target, type, major, minor, mode, uid, gid, source}: DeviceNode): Operation<'device'> {
  return {kind: 'device', target, type, major, minor, mode: mode.toString(8), uid, gid, source};
}
