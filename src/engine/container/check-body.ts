import {isIP} from 'node:net';
import {restartUnhealthyLabel} from '../../api/labels.ts';
import type {ContainerCreateBody, HealthConfig, HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {checkEndpointSyntax, checkOnDefaultBridge} from '../network/check-endpoint.ts';
import {parseHostPort} from '../network/port-bindings.ts';
import {parseDeviceRule} from './device-program.ts';
import {checkMapping} from './devices/mapped.ts';
import {parseLogConfig} from './log-config.ts';
import {checkNamespaces, containerOfMode} from './namespace-modes.ts';
import {resolvePrivileges} from './privileges.ts';
import {parseSignal} from './signal.ts';
import {refuseUnsupported} from './supported-body.ts';
import {checkSysctls} from './sysctls.ts';
import {checkUlimits} from './ulimits.ts';

/** What Docker's healthcheck accepts at least, in nanoseconds. */
const leastInterval = 1_000_000;

/** Everything about a create body that can be wrong without looking at an image or the machine. Throws `invalid` or `unsupported`. */
export function checkBody(body: ContainerCreateBody): void {
  checkNamespaces(body);
  refuseUnsupported(body);
  const host = body.HostConfig ?? {};
  if (body.WorkingDir && !body.WorkingDir.startsWith('/'))
    throw invalid(`the working directory '${body.WorkingDir}' is invalid, it needs to be an absolute path`);
  if (body.StopSignal) parseSignal(body.StopSignal);
  for (const entry of body.Env ?? []) checkVariable(entry);
  for (const port of Object.keys(body.ExposedPorts ?? {})) parsePort(port);
  if (body.Healthcheck) checkHealth(body.Healthcheck);
  checkHostName(body.Hostname);
  checkOwnLabels(body.Labels ?? {});
  checkOthers(host);
  resolvePrivileges(host);
  for (const mapping of host.Devices ?? []) checkMapping(mapping);
  for (const rule of host.DeviceCgroupRules ?? []) parseDeviceRule(rule);
  parseLogConfig(host.LogConfig);
  checkSysctls(host.Sysctls ?? {}, host);
  checkUlimits(host.Ulimits ?? []);
  checkRestartPolicy(host.RestartPolicy);
  if (host.AutoRemove === true && !['', 'no'].includes(host.RestartPolicy?.Name ?? ''))
    throw invalid("can't create 'AutoRemove' container with restart policy");
  checkNetworking(body);
  for (const entry of host.ExtraHosts ?? []) checkExtraHost(entry);
  checkResolver(host);
  for (const [port, bindings] of Object.entries(host.PortBindings ?? {})) {
    parsePort(port);
    for (const {HostPort = ''} of bindings ?? []) parseHostPort(HostPort, port);
  }
}

function invalid(message: string): TscomposeError {
  return new TscomposeError('invalid', message);
}

function checkVariable(entry: string): void {
  if (entry === '' || entry.startsWith('=')) throw invalid(`invalid environment variable: ${entry}`);
  if (entry.includes('\0'))
    throw invalid(`invalid environment variable ${entry.split('=', 1)[0]}: it holds a NUL byte`);
}

/** `80`, `80/tcp`. Throws `invalid`. */
export function parsePort(text: string): {readonly port: number; readonly protocol: string} {
  const [number = '', protocol = 'tcp', ...more] = text.split('/');
  const port = Number(number);
  if (!/^\d+$/.test(number) || port < 1 || port > 65535 || more.length > 0)
    throw invalid(`invalid port specification: "${text}"`);
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw invalid(`invalid proto: ${protocol}`);
  return {port, protocol};
}

function checkHealth(health: HealthConfig): void {
  const [kind, ...words] = health.Test ?? [];
  if (kind !== undefined && !['NONE', 'CMD', 'CMD-SHELL', ''].includes(kind)) {
    throw invalid(`Unknown healthcheck type '${kind}' (expected 'NONE', 'CMD' or 'CMD-SHELL')`);
  }
  if ((kind === 'CMD' || kind === 'CMD-SHELL') && words.length === 0)
    throw invalid(`healthcheck of type ${kind} has no command`);
  for (const [member, value] of Object.entries({
    Interval: health.Interval,
    Timeout: health.Timeout,
    StartPeriod: health.StartPeriod,
    StartInterval: health.StartInterval,
  })) {
    if (value !== undefined && value !== 0 && value < leastInterval)
      throw invalid(`${member} in Healthcheck cannot be less than 1ms`);
  }
  if ((health.Retries ?? 0) < 0) throw invalid('Retries in Healthcheck cannot be negative');
}

/** A value that says nothing would be a wish that is not fulfilled. */
function checkOwnLabels(labels: Readonly<Record<string, string>>): void {
  const value = labels?.[restartUnhealthyLabel];
  if (value !== undefined && value !== 'true' && value !== 'false')
    throw invalid(`invalid label ${restartUnhealthyLabel}: "${value}" is neither true nor false`);
}

/** sethostname(2) takes 64 bytes. */
function checkHostName(name: string | undefined): void {
  if (name !== undefined && (name.length > 64 || /[\s\0/]/.test(name)))
    throw invalid(`invalid hostname format: ${name}`);
}

function checkOthers(host: HostConfig): void {
  if (host.OomScoreAdj !== undefined && (host.OomScoreAdj < -1000 || host.OomScoreAdj > 1000)) {
    throw invalid(`Invalid value ${host.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  if ((host.ShmSize ?? 0) < 0) throw invalid('SHM size can not be less than 0');
  if (!['', 'host', 'private'].includes(host.CgroupnsMode ?? ''))
    throw invalid(`invalid cgroup namespace mode: ${host.CgroupnsMode}`);
  if (host.CgroupParent?.includes('\0')) throw invalid('invalid cgroup parent: it holds a NUL byte');
}

/** Throws `invalid`. */
export function checkRestartPolicy(policy: HostConfig['RestartPolicy']): void {
  if (typeof (policy ?? {}) !== 'object') throw invalid('invalid restart policy: not an object');
  const {Name = '', MaximumRetryCount = 0} = policy ?? {};
  // Without a name a number says nothing, as in Docker.
  if (Name === '') return;
  if (!['no', 'always', 'unless-stopped', 'on-failure'].includes(Name))
    throw invalid(
      `invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (!Number.isInteger(MaximumRetryCount ?? 0))
    throw invalid(
      `invalid restart policy: maximum retry count is not an integer: ${JSON.stringify(MaximumRetryCount)}`,
    );
  if (MaximumRetryCount < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative');
  if (MaximumRetryCount > 0 && Name !== 'on-failure')
    throw invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'");
}

function checkNetworking(body: ContainerCreateBody): void {
  for (const [network, settings] of Object.entries(body.NetworkingConfig?.EndpointsConfig ?? {})) {
    const check = network === 'default' || network === 'bridge' ? checkOnDefaultBridge : checkEndpointSyntax;
    check(settings ?? {});
  }
  const mode = body.HostConfig?.NetworkMode ?? 'default';
  if (!['', 'default', 'bridge'].includes(mode) && (body.HostConfig?.Links ?? []).length > 0)
    throw invalid('links are for the default network: give those of another one with its endpoint (EndpointsConfig)');
  if (mode !== 'host' && mode !== 'none' && containerOfMode(mode) === undefined) return;
  const others = Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {}).filter((network) => network !== mode);
  if (others.length > 0)
    throw invalid(`container cannot be attached to network ${others[0]}: its network mode is "${mode}"`);
}

/** `name:address`, `name=address`; `host-gateway` stands for the machine. */
function checkExtraHost(entry: string): void {
  const at = entry.search(/[:=]/);
  if (at <= 0 || at === entry.length - 1) throw invalid(`bad format for add-host: "${entry}"`);
  const address = entry.slice(at + 1);
  if (address !== 'host-gateway' && isIP(address.replace(/^\[(.*)\]$/, '$1')) === 0)
    throw invalid(`invalid IP address in add-host: "${address}"`);
  if (/\s/.test(entry)) throw invalid(`bad format for add-host: ${JSON.stringify(entry)}`);
}

/** Each goes into one line of the container's resolv.conf. */
function checkResolver({Dns = [], DnsSearch = [], DnsOptions = []}: HostConfig): void {
  for (const address of Dns ?? [])
    if (isIP(address) === 0) throw invalid(`bad nameserver address ${address}: it is no IP address`);
  for (const word of [...(DnsSearch ?? []), ...(DnsOptions ?? [])])
    if (/\s/.test(word)) throw invalid(`bad DNS setting ${JSON.stringify(word)}: it holds white space`);
}
