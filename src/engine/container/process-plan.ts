import type {SetupOperation} from '../helper/operations.ts';
import {capabilityMask, resolveCapabilities} from './capabilities.ts';
import {processEnvironment} from './image-config.ts';
import type {Machine} from './machine.ts';
import type {ContainerRecord} from './record.ts';
import {compileFilter} from './seccomp-filter.ts';
import {parseSecurityOptions} from './security-options.ts';
import {completeSysctls} from './sysctls.ts';

/** The steps that make a container's process what it is: names, limits, user, privileges, environment, words. */
export function planProcess(
  machine: Machine,
  record: ContainerRecord,
  interfaceSysctls: Readonly<Record<string, string>>,
): readonly SetupOperation[] {
  const {config, hostConfig} = record;
  const capabilities = resolveCapabilities(hostConfig.CapAdd ?? [], hostConfig.CapDrop ?? []);
  const mask = capabilityMask(capabilities, machine.lastCapability);
  const {noNewPrivileges, seccomp} = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
  const filter = compileFilter(seccomp, capabilities);
  const sysctls = {
    ...interfaceSysctls,
    ...completeSysctls(hostConfig.Sysctls ?? {}, hostConfig.NetworkMode ?? 'default'),
  };
  return [
    {kind: 'hostname', name: config.Hostname ?? ''},
    ...(config.Domainname ? [{kind: 'domainname', name: config.Domainname} as const] : []),
    ...Object.entries(sysctls).map(([key, value]): SetupOperation => ({kind: 'sysctl', key, value})),
    {kind: 'oomScoreAdj', value: hostConfig.OomScoreAdj ?? 0},
    ...(hostConfig.Ulimits ?? []).map(
      ({Name, Soft, Hard}): SetupOperation => ({kind: 'rlimit', name: Name.toLowerCase(), soft: Soft, hard: Hard}),
    ),
    {kind: 'user', user: config.User ?? ''},
    ...((hostConfig.GroupAdd ?? []).length > 0 ? [{kind: 'groups', groups: hostConfig.GroupAdd ?? []} as const] : []),
    {kind: 'capabilities', bounding: mask, effective: mask, permitted: mask, inheritable: '0', ambient: '0'},
    ...(noNewPrivileges ? [{kind: 'noNewPrivileges'} as const] : []),
    ...(filter ? [{kind: 'seccomp', program: filter, flags: 0} as const] : []),
    {kind: 'workdir', target: config.WorkingDir || '/'},
    {kind: 'env', variables: processEnvironment(config, config.Hostname ?? '')},
    {kind: 'argv', words: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]},
  ];
}
