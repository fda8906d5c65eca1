import type {SetupOperation} from '../helper/operations.ts';
import {type CapabilityName, capabilityMask} from './capabilities.ts';
import type {ContainerDevices} from './devices/gather.ts';
import {processEnvironment} from './image-config.ts';
import type {Machine} from './machine.ts';
import type {Privileges} from './privileges.ts';
import type {ContainerRecord} from './record.ts';
import {compileFilter} from './seccomp-filter.ts';
import {completeSysctls} from './sysctls.ts';

/** What follows from more than the container's record. */
export interface ProcessSettings {
  readonly privileges: Privileges;
  readonly devices: ContainerDevices;
  /** Variables that tell of linked containers; its own ones stand above them. */
  readonly linked?: readonly string[];
  /** Variables that are in no record. */
  readonly unrecorded?: readonly string[] | undefined;
}

/** The steps that make a container's process what it is: names, limits, user, privileges, environment, words. */
export function planProcess(
  machine: Machine,
  record: ContainerRecord,
  {privileges, devices, linked = [], unrecorded = []}: ProcessSettings,
): readonly SetupOperation[] {
  const {config, hostConfig} = record;
  const {capabilities, noNewPrivileges, seccomp, appArmor} = privileges;
  const filter = compileFilter(seccomp, machine, capabilities);
  const sysctls = completeSysctls(
    hostConfig.Sysctls ?? {},
    hostConfig.NetworkMode ?? 'default',
    machine.rootless && machine.rootless.groups - 1,
  );
  const withDevices = {...config, Env: [...linked, ...(config.Env ?? []), ...devices.environment, ...unrecorded]};
  const groups = [...(hostConfig.GroupAdd ?? []), ...devices.groups];
  return [
    // The machine's own name is not a container's to set.
    ...(hostConfig.UTSMode === 'host' ? [] : [{kind: 'hostname', name: config.Hostname ?? ''} as const]),
    ...(config.Domainname ? [{kind: 'domainname', name: config.Domainname} as const] : []),
    ...Object.entries(sysctls).map(([key, value]): SetupOperation => ({kind: 'sysctl', key, value})),
    {kind: 'oomScoreAdj', value: hostConfig.OomScoreAdj || Math.max(machine.rootless?.oomScore ?? 0, 0)},
    ...(hostConfig.Ulimits ?? []).map(
      ({Name, Soft, Hard}): SetupOperation => ({kind: 'rlimit', name: Name.toLowerCase(), soft: Soft, hard: Hard}),
    ),
    {kind: 'user', user: config.User ?? ''},
    ...(groups.length > 0 ? [{kind: 'groups', groups} as const] : []),
    planCapabilities(machine, capabilities),
    ...(noNewPrivileges ? [{kind: 'noNewPrivileges'} as const] : []),
    ...(appArmor === undefined ? [] : [{kind: 'appArmor', profile: appArmor} as const]),
    ...(filter ? [{kind: 'seccomp', ...filter} as const] : []),
    {kind: 'workdir', target: config.WorkingDir || '/'},
    {kind: 'env', variables: processEnvironment(withDevices, config.Hostname ?? '')},
    {kind: 'argv', words: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]},
  ];
}

/** Nothing is inherited: what a file's capabilities add would outlive a change of user. */
export function planCapabilities({lastCapability}: Machine, capabilities: readonly CapabilityName[]): SetupOperation {
  const mask = capabilityMask(capabilities, lastCapability);
  return {kind: 'capabilities', bounding: mask, effective: mask, permitted: mask, inheritable: '0', ambient: '0'};
}
