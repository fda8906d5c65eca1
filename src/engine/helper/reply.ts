import {StringDecoder} from 'node:string_decoder';
import {isErrorKind, TscomposeError} from '../../base/errors.ts';

/** A JSON line of the helper. */
export interface Reply {
  /** Absent: about the stream as a whole. */
  readonly request?: number;
  readonly ok?: boolean;
  readonly waiting?: boolean;
  readonly error?: ReplyError;
}

export interface ReplyError {
  readonly kind: string;
  /** `ENOENT`; empty where no system call failed. */
  readonly errno?: string;
  /** The operation and its object: `publish tcp 0.0.0.0:80`. */
  readonly step?: string;
  readonly message: string;
  /** 125, 126 or 127. */
  readonly exitCode?: number;
}

/** The cause of an error that the helper answered. */
export interface HelperFailure {
  readonly errno: string;
  readonly step: string;
}

export function replyError(error: ReplyError): TscomposeError {
  const cause: HelperFailure = {errno: error.errno ?? '', step: error.step ?? ''};
  return new TscomposeError(isErrorKind(error.kind) ? error.kind : 'internal', error.message, {
    cause,
    exitCode: error.exitCode,
  });
}

/** Which step failed and how, when the error came from the helper. */
export function helperFailure(error: unknown): HelperFailure | undefined {
  if (!(error instanceof TscomposeError)) return undefined;
  const cause = error.cause;
  return typeof cause === 'object' && cause !== null && 'step' in cause && 'errno' in cause
    ? (cause as HelperFailure)
    : undefined;
}

/** Turns chunks into lines; a last line without an end is dropped. */
export function splitLines(onLine: (line: string) => void): (chunk: Uint8Array) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (chunk) => {
    rest += decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (!rest.includes('\n')) return;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line);
  };
}
