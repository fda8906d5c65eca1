import {isAbsolute, join, relative} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import type {FileSource} from '../../base/file-source.ts';
import type {SourceFile, Span} from '../source.ts';

/** Bytes that a stack or environment file may have, unless more is allowed. */
export const defaultMaxFileSize = 4 * 1024 * 1024;

export interface SourceRequest {
  readonly source: FileSource;
  /** What messages call it. */
  readonly shown: string;
  /** What it was wanted for: `stack file`. */
  readonly what: string;
  readonly maxFileSize?: number | undefined;
  readonly includedAt?: Span | undefined;
  /** What a person can do where it cannot be read. */
  readonly hint?: string;
}

/** Reads a file of text. Throws the file source's error, or `invalid` for what is no text or too large. */
export async function readSource(
  path: string,
  {source, shown, what, maxFileSize = defaultMaxFileSize, includedAt, hint}: SourceRequest,
): Promise<SourceFile> {
  let bytes: Uint8Array;
  try {
    bytes = await source.readBytes(path, maxFileSize + 1);
  } catch (cause) {
    if (!(cause instanceof TscomposeError)) throw cause;
    const reason = cause.message.replace(/^cannot read .*: /, '');
    throw new TscomposeError(cause.kind, `cannot read ${what} "${shown}": ${reason}`, {cause, exitCode: 65, hint});
  }
  refuseLarge(bytes, {shown, what, maxFileSize});
  return {path, shown, text: decode(bytes, shown), ...(includedAt === undefined ? {} : {includedAt})};
}

export async function readStandardInput(source: FileSource, maxFileSize = defaultMaxFileSize): Promise<SourceFile> {
  const bytes = await source.readStandardInput();
  refuseLarge(bytes, {shown: '<stdin>', what: 'stack file', maxFileSize});
  return {path: '-', shown: '<stdin>', text: decode(bytes, 'standard input')};
}

function refuseLarge(
  bytes: Uint8Array,
  {shown, what, maxFileSize}: {readonly shown: string; readonly what: string; readonly maxFileSize: number},
): void {
  if (bytes.length <= maxFileSize) return;
  throw new TscomposeError('invalid', `the ${what} "${shown}" has more than ${maxFileSize} bytes`, {
    hint: 'allow more with --max-file-size',
  });
}

function decode(bytes: Uint8Array, shown: string): string {
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch (cause) {
    throw new TscomposeError('invalid', `"${shown}" is not UTF-8 text`, {cause, hint: 'save it as UTF-8'});
  }
}

export const remoteHint = 'copy the file into the project';

/** A registry, a git repository or a web address in place of a path. */
export function isRemote(path: string): boolean {
  return /^(?:oci|git|ssh|https?):\/\/|^(?:git@|github\.com\/)/.test(path) || /\.git(?:[#:]|$)/.test(path);
}

/** `~` in front is the home directory. */
export function expandHome(path: string, home: string | undefined): string {
  return home !== undefined && (path === '~' || path.startsWith('~/')) ? join(home, path.slice(1)) : path;
}

/** Short where the file is at or below the caller's directory. */
export function shownPath(path: string, workingDirectory: string): string {
  const short = relative(workingDirectory, path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short;
}
