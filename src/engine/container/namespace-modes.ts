import type {ContainerCreateBody, HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {SetupOperation} from '../helper/operations.ts';

const prefix = 'container:';

/** The container that a mode of a namespace names: `container:NAME`. */
export function containerOfMode(mode: string | undefined): string | undefined {
  return mode?.startsWith(prefix) === true ? mode.slice(prefix.length) : undefined;
}

/** The mode that shares a namespace of a container. */
export function modeOfContainer(id: string): string {
  return `${prefix}${id}`;
}

/** Modes of namespaces that nobody knows, and settings that a shared namespace leaves no room for. Throws `invalid` or `unsupported`. */
export function checkNamespaces(body: ContainerCreateBody): void {
  const {NetworkMode = '', PidMode = '', IpcMode = '', UTSMode = '', UsernsMode = ''} = body.HostConfig ?? {};
  if (containerOfMode(NetworkMode) === '')
    throw invalid('invalid network mode: invalid container format container:<name|id>');
  if (!isMode(PidMode, ['host'])) throw invalid(`invalid PID mode: ${PidMode}`);
  if (!isMode(IpcMode, ['host', 'none', 'private', 'shareable'])) throw invalid(`invalid IPC mode: ${IpcMode}`);
  if (UTSMode !== '' && UTSMode !== 'host') throw invalid(`invalid UTS mode: ${UTSMode}`);
  if (UsernsMode !== '' && UsernsMode !== 'host')
    throw new TscomposeError('unsupported', `this engine does not support HostConfig.UsernsMode "${UsernsMode}"`);
  if (UTSMode === 'host' && body.Hostname) throw conflicting('hostname and the UTS mode');
  if (UTSMode === 'host' && body.Domainname) throw conflicting('domainname and the UTS mode');
  if (NetworkMode === 'host' && asks(body.HostConfig?.Links))
    throw invalid(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  if (containerOfMode(NetworkMode) !== undefined) checkJoinedNetwork(body);
}

function isMode(mode: string, words: readonly string[]): boolean {
  return mode === '' || words.includes(mode) || Boolean(containerOfMode(mode));
}

/** Names, addresses and ports are those of the other container: all of this would come to nothing. */
function checkJoinedNetwork(body: ContainerCreateBody): void {
  const host = body.HostConfig ?? {};
  if (body.Hostname) throw conflicting('hostname and the network mode');
  if (body.Domainname) throw conflicting('domainname and the network mode');
  if (asks(host.Links))
    throw invalid(
      "conflicting options: container type network can't be used with links. This would result in undefined behavior",
    );
  if (asks(host.Dns) || asks(host.DnsSearch) || asks(host.DnsOptions)) throw conflicting('dns and the network mode');
  if (asks(host.ExtraHosts)) throw conflicting('custom host-to-IP mapping and the network mode');
  if (asks(Object.keys(host.PortBindings ?? {})) || host.PublishAllPorts)
    throw conflicting('port publishing and the container type network mode');
  if (asks(Object.keys(body.ExposedPorts ?? {})))
    throw conflicting('port exposing and the container type network mode');
}

function asks(list: readonly string[] | null | undefined): boolean {
  return (list ?? []).length > 0;
}

function conflicting(what: string): TscomposeError {
  return invalid(`conflicting options: ${what}`);
}

function invalid(message: string): TscomposeError {
  return new TscomposeError('invalid', message);
}

/** Namespaces that a container's process gets of its own, as the helper is told; its network is planned elsewhere. */
export function ownNamespaces({PidMode, IpcMode, UTSMode, CgroupnsMode}: HostConfig): string {
  const isOwn = (mode = '') => mode !== 'host' && containerOfMode(mode) === undefined;
  return [
    ...(isOwn(PidMode) ? ['pid'] : []),
    'mount',
    ...(isOwn(UTSMode) ? ['uts'] : []),
    ...(isOwn(IpcMode) ? ['ipc'] : []),
    ...(CgroupnsMode === 'host' ? [] : ['cgroup']),
  ].join(',');
}

const sharedMemory = '/dev/shm';

/** What is at /dev/shm: memory of its own, the machine's, another container's, or nothing. */
export function planSharedMemory({IpcMode = '', ShmSize = 64 * 1024 * 1024}: HostConfig): readonly SetupOperation[] {
  const flags = 'nosuid,noexec,nodev';
  if (IpcMode === 'none') return [];
  if (IpcMode === 'host')
    return [
      {kind: 'bind', source: sharedMemory, target: sharedMemory, flags: `${flags},rprivate`, create: 'directory'},
    ];
  if (containerOfMode(IpcMode) !== undefined) return [{kind: 'sharedMemory', target: sharedMemory}];
  return [
    {kind: 'mount', type: 'tmpfs', source: 'shm', target: sharedMemory, flags, data: `mode=1777,size=${ShmSize}`},
  ];
}
