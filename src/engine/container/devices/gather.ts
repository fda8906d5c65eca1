import type {HostConfig} from '../../../api/types/container.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {deviceRules} from '../device-rules.ts';
import {applyCdi, type DeviceEdits} from './cdi/edits.ts';
import {readRegistry} from './cdi/registry.ts';
import {devicesBelow} from './machine-devices.ts';
import {mappedDevices} from './mapped.ts';
import {type DeviceNode, ruleFor} from './node.ts';
import {requestedDevices} from './requests.ts';

/** The devices of a container, as the machine has them now. */
export interface ContainerDevices extends Omit<DeviceEdits, 'rules'> {
  /** Lines of devices.allow; undefined: every device may be used. */
  readonly rules: readonly string[] | undefined;
}

/** Looks at the machine. Throws `invalid` and `unsupported` for what is not there. */
export async function gatherDevices(
  host: HostConfig,
  {cdiDirectories}: {readonly cdiDirectories: readonly string[]},
): Promise<ContainerDevices> {
  const mapped = await Promise.all(
    (host.Devices ?? []).map(async (mapping) =>
      (await mappedDevices(mapping)).map((node) => ({node, rule: ruleFor(node, mapping.CgroupPermissions)})),
    ),
  );
  const cdi = await requestedEdits(host, cdiDirectories);
  const asked = withoutTwins([...mapped.flat().map(({node}) => node), ...cdi.nodes]);
  if (host.Privileged) return {...cdi, nodes: await withMachine(asked), rules: undefined};
  const rules = [...mapped.flat().map(({rule}) => rule), ...cdi.rules, ...(host.DeviceCgroupRules ?? [])];
  return {...cdi, nodes: asked, rules: [...deviceRules, ...rules]};
}

const noEdits: DeviceEdits = {nodes: [], rules: [], mounts: [], environment: [], groups: []};

/** What the device requests of a container change in it. Throws `unsupported` where the machine does not offer them. */
export async function requestedEdits(
  {DeviceRequests}: HostConfig,
  cdiDirectories: readonly string[],
): Promise<DeviceEdits> {
  if ((DeviceRequests ?? []).length === 0) return noEdits;
  const registry = await readRegistry(cdiDirectories);
  return applyCdi(requestedDevices(DeviceRequests ?? [], registry));
}

/** Two ways to the same device are one; two devices cannot have one name. */
function withoutTwins(nodes: readonly DeviceNode[]): readonly DeviceNode[] {
  const byTarget = new Map<string, DeviceNode>();
  for (const node of nodes) {
    const other = byTarget.get(node.target);
    if (other === undefined) byTarget.set(node.target, node);
    else if (ruleFor(other, '') !== ruleFor(node, ''))
      throw new TscomposeError(
        'invalid',
        `two devices at ${JSON.stringify(node.target)} in the container: ${other.source} and ${node.source}`,
      );
  }
  return [...byTarget.values()];
}

/** A privileged container has all devices of the machine, and those it asks for in their places. */
async function withMachine(asked: readonly DeviceNode[]): Promise<readonly DeviceNode[]> {
  const taken = new Set(asked.map(({target}) => target));
  const machine = await devicesBelow('/dev', '/dev');
  return [...machine.filter(({target}) => !taken.has(target)), ...asked];
}
