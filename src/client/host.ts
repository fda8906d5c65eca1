import {TscomposeError} from '../base/errors.ts';

/** Where an engine listens. */
export type EngineAddress =
  | {readonly kind: 'unix'; readonly socketPath: string; readonly options: ConnectionOptions}
  | {readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly options: ConnectionOptions};

export interface ConnectionOptions {
  /** Speak this version of the API (`1.47`) in place of what both sides know. */
  readonly version?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds to connect, 10000 unless stated. */
  readonly connectionTimeout?: number | undefined;
}

/** dockerode's way to say where an engine is. */
export interface EngineAddressOptions extends ConnectionOptions {
  readonly socketPath?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly protocol?: 'http' | 'https' | 'ssh' | undefined;
}

const defaultSocketPath = '/var/run/docker.sock';

/** Throws `unsupported` for https and ssh, `invalid` for a port that is none. */
export function addressOfOptions(options: EngineAddressOptions): EngineAddress {
  if (options.protocol === 'https') throw unsupportedTls(options.host ?? '');
  if (options.protocol === 'ssh') throw unsupportedSsh(options.host ?? '');
  if (options.host === undefined) return {kind: 'unix', socketPath: options.socketPath ?? defaultSocketPath, options};
  if (options.host.includes('://')) return {...parseHost(options.host), options};
  return {kind: 'tcp', host: options.host, port: portNumber(String(options.port ?? 2375), options.host), options};
}

/**
 * Reads the value of `DOCKER_HOST` or `TSCOMPOSE_HOST`: `unix:///run/docker.sock`, `tcp://host:2375`. Throws `invalid` for
 * anything else, `unsupported` for ssh, TLS (`https://`) and named pipes.
 */
export function parseHost(text: string): EngineAddress {
  const parts = /^([a-z]+):\/\/(.*)$/.exec(text);
  const [scheme, rest] = [parts?.[1], parts?.[2] ?? ''];
  switch (scheme) {
    case 'unix':
      if (!rest.startsWith('/')) throw badHost(text, 'the path of a socket starts with "/"');
      return {kind: 'unix', socketPath: rest, options: {}};
    case 'tcp':
    case 'http':
      return {kind: 'tcp', ...parseTcp(rest, text), options: {}};
    case 'https':
      throw unsupportedTls(text);
    case 'ssh':
      throw unsupportedSsh(text);
    case 'npipe':
      throw new TscomposeError('unsupported', `engine address "${text}": named pipes are not supported on Linux`);
    default:
      throw badHost(text, 'expected unix:///path or tcp://host:port');
  }
}

export function formatAddress(address: EngineAddress): string {
  if (address.kind === 'unix') return `unix://${address.socketPath}`;
  return `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

function parseTcp(rest: string, text: string): {readonly host: string; readonly port: number} {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:/[\]]+)(?::(\d+))?\/?$/.exec(rest);
  if (parts?.[1] === undefined) throw badHost(text, 'expected tcp://host:port');
  return {host: parts[1].replace(/^\[|\]$/g, ''), port: portNumber(parts[2] ?? '2375', text)};
}

function portNumber(port: string, text: string): number {
  const value = Number(port);
  if (!/^\d{1,5}$/.test(port) || value < 1 || value > 65535) throw badHost(text, `"${port}" is not a port`);
  return value;
}

function badHost(text: string, reason: string): TscomposeError {
  return new TscomposeError('invalid', `engine address "${text}": ${reason}`);
}

function unsupportedTls(text: string): TscomposeError {
  return new TscomposeError('unsupported', `engine address "${text}": TLS is not supported`, {
    hint: 'use a unix socket or plain tcp',
  });
}

function unsupportedSsh(text: string): TscomposeError {
  return new TscomposeError('unsupported', `engine address "${text}": ssh is not supported`, {
    hint: 'forward the remote socket ("ssh -L /tmp/engine.sock:/var/run/docker.sock host") and use unix:///tmp/engine.sock',
  });
}
