import {existsSync} from 'node:fs';
import {isIP} from 'node:net';
import {TscomposeError} from '../../base/errors.ts';
import type {MonitorOperation} from '../helper/operations.ts';
import {attributesText, logAttributes} from './log-attributes.ts';
import {type ParsedLogConfig, parseLogConfig} from './log-config.ts';
import {expandTag, type TagSource} from './log-tag.ts';
import type {ContainerRecord} from './record.ts';
import type {SyslogAddress} from './syslog-options.ts';

/** A receiver's address as the helper takes it. */
export type LogReceiver = Omit<Extract<MonitorOperation, {kind: 'logReceiver'}>, 'kind' | 'bufferBytes'>;

const journaldSocket = '/run/systemd/journal/socket';
/** Where a machine's own syslog may be. */
const localSockets = ['/dev/log', '/var/run/syslog', '/var/run/log'];
const initializing = 'failed to initialize logging driver';

/** Where the lines go; a host's name is looked up now. Undefined: nowhere. Throws `unavailable`. */
export async function findLogReceiver({
  hostConfig,
}: Pick<ContainerRecord, 'hostConfig'>): Promise<LogReceiver | undefined> {
  const {receiver} = parseLogConfig(hostConfig.LogConfig);
  if (receiver === undefined) return undefined;
  if (receiver.kind === 'journald')
    return {
      protocol: 'unixgram',
      address: journaldSocket,
      port: 0,
      name: `journald is not enabled on this host: dial unixgram ${journaldSocket}`,
    };
  return await findSyslog(receiver.address);
}

async function findSyslog(address: SyslogAddress): Promise<LogReceiver> {
  if (address.protocol === 'local') {
    const path = localSockets.find((socket) => existsSync(socket));
    if (path === undefined)
      throw new TscomposeError(
        'unavailable',
        `${initializing}: Unix syslog delivery error: there is none of ${localSockets.join(', ')}`,
      );
    return {protocol: 'local', address: path, port: 0, name: `Unix syslog delivery error: dial ${path}`};
  }
  if ('path' in address)
    return {
      protocol: address.protocol,
      address: address.path,
      port: 0,
      name: `dial ${address.protocol} ${address.path}`,
    };
  const {protocol, host, port} = address;
  const name = `dial ${protocol} ${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {protocol, address: await lookUp(protocol, host), port, name};
}

async function lookUp(protocol: string, host: string): Promise<string> {
  if (host === '') return '127.0.0.1';
  if (isIP(host) !== 0) return host;
  // Loaded here: hardly any log goes to a server.
  const {lookup} = process.getBuiltinModule('node:dns/promises');
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new TscomposeError('unavailable', `${initializing}: dial ${protocol}: lookup ${host}: no such host`, {
      cause: error,
    });
  }
}

export interface LogRequest {
  readonly record: ContainerRecord;
  readonly name: string;
  readonly path: string;
  readonly hostName: string;
  readonly receiver: LogReceiver | undefined;
}

/** What is kept of a container's output, and who else gets it. */
export function planLog({record, name, path, hostName, receiver}: LogRequest): readonly MonitorOperation[] {
  const parsed = parseLogConfig(record.hostConfig.LogConfig);
  const source: TagSource = {id: record.id, name, imageId: record.image.id, imageName: record.config.Image ?? ''};
  const kept: MonitorOperation[] = parsed.file ? [{kind: 'log', path, ...parsed.file}] : [];
  if (receiver === undefined) return [...kept, ...planAttributes(parsed, record, source)];
  return [
    ...kept,
    {kind: 'logReceiver', ...receiver, bufferBytes: parsed.bufferBytes},
    planForm(parsed, record, source, hostName),
  ];
}

function planAttributes(
  {options}: ParsedLogConfig,
  record: ContainerRecord,
  source: TagSource,
): readonly MonitorOperation[] {
  const tag = expandTag(options.tag ?? '', source);
  const attributes = {...logAttributes(options, record.config), ...(tag === '' ? {} : {tag})};
  if (Object.keys(attributes).length === 0) return [];
  return [{kind: 'logAttributes', json: attributesText(attributes)}];
}

function planForm(
  {receiver, options}: ParsedLogConfig,
  record: ContainerRecord,
  source: TagSource,
  hostName: string,
): MonitorOperation {
  const tag = expandTag(options.tag || '{{.ID}}', source);
  if (receiver?.kind === 'syslog')
    return {kind: 'logSyslog', format: receiver.format, facility: receiver.facility, tag, host: hostName};
  const fields = {
    CONTAINER_ID: source.id.slice(0, 12),
    CONTAINER_ID_FULL: source.id,
    CONTAINER_NAME: source.name,
    CONTAINER_TAG: tag,
    IMAGE_NAME: source.imageName,
    SYSLOG_IDENTIFIER: tag,
    ...logAttributes(options, record.config, journaldName),
  };
  return {kind: 'logJournald', fields: Object.entries(fields).map(([key, value]) => `${key}=${value}`)};
}

/** Journald takes capital letters, digits and underscores, of which none is the first. */
function journaldName(name: string): string {
  return name
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '_')
    .replace(/^_+/, '');
}
