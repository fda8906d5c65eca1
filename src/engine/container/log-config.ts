import type {LogConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {ContainerRecord} from './record.ts';

export interface ParsedLogConfig {
  /** Absent: nothing is kept. */
  readonly file?: {readonly maxBytes: number; readonly maxFiles: number};
}

/** Docker's defaults of `local`; `json-file` is never rotated. */
const defaults: Readonly<Record<'local' | 'json-file', Readonly<Record<string, string>>>> = {
  local: {'max-size': '20m', 'max-file': '5'},
  'json-file': {},
};

/** `json-file` and `local` (kept as json-file) with `max-size` and `max-file`, and `none`. Throws `invalid` or `unsupported`. */
export function parseLogConfig(config: LogConfig | undefined): ParsedLogConfig {
  const type = config?.Type || 'json-file';
  const options = {...config?.Config};
  if (type === 'none') return {};
  if (type !== 'json-file' && type !== 'local')
    throw new TscomposeError('unsupported', `this engine does not support the log driver "${type}"`, {
      hint: 'use json-file, local or none',
    });
  const {'max-size': maxSize, 'max-file': maxFile, mode, compress, ...others} = {...defaults[type], ...options};
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new TscomposeError(
      'unsupported',
      `this engine does not support the option "${unknown}" of the log driver "${type}"`,
    );
  if (mode !== undefined && mode !== 'blocking')
    throw new TscomposeError(
      'unsupported',
      `this engine does not support the mode "${mode}" of the log driver "${type}": nothing of a log is lost`,
    );
  // What `local` keeps is its own affair: its files are read through the engine only.
  if (type === 'json-file' && compress !== undefined && compress !== 'false')
    throw new TscomposeError(
      'unsupported',
      `this engine does not support the option "compress" of the log driver "${type}"`,
    );
  const maxBytes = maxSize === undefined || maxSize === '-1' ? 0 : parseSize(maxSize);
  const maxFiles = maxFile === undefined ? 1 : Number(maxFile);
  if (!Number.isInteger(maxFiles) || maxFiles < 1)
    throw new TscomposeError('invalid', `max-file must be a number of at least 1: ${maxFile}`);
  if (maxFile !== undefined && maxFiles > 1 && maxBytes === 0)
    throw new TscomposeError('invalid', 'max-file cannot be used without max-size');
  return {file: {maxBytes, maxFiles}};
}

/** Whether what a container writes is kept. */
export function hasReadableLog({hostConfig}: Pick<ContainerRecord, 'hostConfig'>): boolean {
  return hostConfig.LogConfig?.Type !== 'none';
}

const units: Readonly<Record<string, number>> = {'': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3};

function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmg]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = match ? Math.floor(Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? 0)) : 0;
  if (bytes < 1) throw new TscomposeError('invalid', `invalid max-size: "${text}"`);
  return bytes;
}
