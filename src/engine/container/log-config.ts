import {isLogDriver, type LogDriver, logDriverOptions, logDrivers} from '../../api/log-drivers.ts';
import type {LogConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {checkAttributeOptions} from './log-attributes.ts';
import {parseTag} from './log-tag.ts';
import type {ContainerRecord} from './record.ts';
import {parseSyslogOptions, type SyslogOptions} from './syslog-options.ts';

type Options = Readonly<Record<string, string>>;

export interface ParsedLogConfig {
  /** Absent: nothing is kept. */
  readonly file?: {readonly maxBytes: number; readonly maxFiles: number};
  /** Who gets the lines too. */
  readonly receiver?: {readonly kind: 'journald'} | ({readonly kind: 'syslog'} & SyslogOptions);
  /** Bytes that may wait for the receiver before lines are dropped; 0: the container is held back. */
  readonly bufferBytes: number;
  readonly options: Options;
}

/** What `local` keeps, and the file beside another driver; `json-file` is never rotated. */
const rotated = {size: '20m', count: '5'} as const;
const defaultBuffer = 1024 ** 2;

type Parsed = Omit<ParsedLogConfig, 'options' | 'bufferBytes'>;

const drivers: {readonly [D in LogDriver]: (options: Options) => Parsed} = {
  none: () => ({}),
  'json-file': (options) => {
    if (options.compress !== undefined && options.compress !== 'false')
      throw unsupported('option "compress"', 'json-file');
    return {file: parseFile(options['max-size'], options['max-file'])};
  },
  // What `local` keeps is its own affair: its files are read through the engine only, and never compressed.
  local: (options) => ({file: parseFile(options['max-size'] ?? rotated.size, options['max-file'] ?? rotated.count)}),
  syslog: (options) => ({...parseCache(options), receiver: {kind: 'syslog', ...parseSyslogOptions(options)}}),
  journald: (options) => ({...parseCache(options), receiver: {kind: 'journald'}}),
};

/** `json-file`, `local` (kept as json-file), `syslog` and `journald` (a file beside each), `none`. Throws `invalid` or `unsupported`. */
export function parseLogConfig(config: LogConfig | undefined): ParsedLogConfig {
  const type = config?.Type || 'json-file';
  const options = config?.Config ?? {};
  if (!isLogDriver(type))
    throw new TscomposeError('unsupported', `this engine does not support the log driver "${type}"`, {
      hint: `use one of ${logDrivers.join(', ')}`,
    });
  const known: readonly string[] | undefined = logDriverOptions[type];
  if (known === undefined) return {...drivers[type](options), options, bufferBytes: 0};
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unsupported(`option "${unknown}"`, type);
  if (options.tag !== undefined) parseTag(options.tag);
  checkAttributeOptions(options);
  const parsed = drivers[type](options);
  return {...parsed, options, bufferBytes: parseBuffer(options, type, parsed.receiver !== undefined)};
}

function unsupported(what: string, type: string): TscomposeError {
  return new TscomposeError('unsupported', `this engine does not support the ${what} of the log driver "${type}"`);
}

function parseBuffer({mode, 'max-buffer-size': size}: Options, type: string, hasReceiver: boolean): number {
  if (mode !== undefined && mode !== 'blocking' && mode !== 'non-blocking')
    throw new TscomposeError('invalid', `logger: logging mode not supported: ${mode}`);
  if (mode !== 'non-blocking') {
    if (size !== undefined)
      throw new TscomposeError('invalid', "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    return 0;
  }
  if (!hasReceiver)
    throw new TscomposeError(
      'unsupported',
      `this engine does not support the mode "${mode}" of the log driver "${type}": nothing of a log is lost`,
    );
  return size === undefined ? defaultBuffer : parseSize('max-buffer-size', size);
}

function parseCache(options: Options): Pick<ParsedLogConfig, 'file'> {
  const disabled = parseFlag('cache-disabled', options['cache-disabled'] ?? 'false');
  parseFlag('cache-compress', options['cache-compress'] ?? 'true');
  const file = parseFile(
    options['cache-max-size'] ?? rotated.size,
    options['cache-max-file'] ?? rotated.count,
    'cache-',
  );
  return disabled ? {} : {file};
}

function parseFlag(name: string, text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new TscomposeError('invalid', `invalid value for option ${name}: ${text}`);
}

function parseFile(
  size: string | undefined,
  count: string | undefined,
  prefix = '',
): {readonly maxBytes: number; readonly maxFiles: number} {
  const maxBytes = size === undefined ? 0 : parseSize(`${prefix}max-size`, size);
  const maxFiles = count === undefined ? 1 : Number(count);
  if (!Number.isInteger(maxFiles) || maxFiles < 1)
    throw new TscomposeError('invalid', `${prefix}max-file must be a number of at least 1: ${count}`);
  if (maxFiles > 1 && maxBytes === 0)
    throw new TscomposeError('invalid', `${prefix}max-file cannot be used without ${prefix}max-size`);
  return {maxBytes, maxFiles};
}

/** Whether what a container writes is kept. */
export function hasReadableLog({hostConfig}: Pick<ContainerRecord, 'hostConfig'>): boolean {
  return parseLogConfig(hostConfig.LogConfig).file !== undefined;
}

const units: Readonly<Record<string, number>> = {'': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3};

function parseSize(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmg]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = match ? Math.floor(Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? 0)) : 0;
  if (bytes < 1) throw new TscomposeError('invalid', `invalid ${name}: "${text}"`);
  return bytes;
}
