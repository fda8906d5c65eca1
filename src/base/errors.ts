import type {Diagnostic} from './diagnostic.ts';

/** Exit codes of the command line; `docs/cli.md` is generated from this table. */
export const exitCodes = {
  success: 0,
  failure: 1,
  planHasChanges: 2,
  usage: 64,
  invalidStack: 65,
  unavailable: 69,
  internal: 70,
  locked: 75,
  timeout: 124,
  runtime: 125,
  notExecutable: 126,
  commandNotFound: 127,
  interrupted: 130,
} as const;

/**
 * Everything that can go wrong, with the HTTP status it travels as and the exit code it ends a command with.
 * Codes branch on the kind, never on the text of a message.
 */
export const errorKinds = {
  invalid: {httpStatus: 400, exitCode: exitCodes.invalidStack},
  notFound: {httpStatus: 404, exitCode: exitCodes.failure},
  conflict: {httpStatus: 409, exitCode: exitCodes.failure},
  unauthorized: {httpStatus: 401, exitCode: exitCodes.failure},
  forbidden: {httpStatus: 403, exitCode: exitCodes.failure},
  unsupported: {httpStatus: 501, exitCode: exitCodes.invalidStack},
  unavailable: {httpStatus: 503, exitCode: exitCodes.unavailable},
  exhausted: {httpStatus: 507, exitCode: exitCodes.failure},
  timeout: {httpStatus: 504, exitCode: exitCodes.timeout},
  dependencyFailed: {httpStatus: 424, exitCode: exitCodes.failure},
  canceled: {httpStatus: 499, exitCode: exitCodes.interrupted},
  notModified: {httpStatus: 304, exitCode: exitCodes.success},
  internal: {httpStatus: 500, exitCode: exitCodes.internal},
} as const;

export type ErrorKind = keyof typeof errorKinds;

export interface ErrorOptions {
  /** A sentence a person can act on, without a full stop: `run "tscompose down" first`. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** Overrides the kind's exit code, for the process exit codes 125, 126 and 127. */
  readonly exitCode?: number | undefined;
  /** The problems of a file, each with its place; the message sums them up. */
  readonly diagnostics?: readonly Diagnostic[] | undefined;
}

/**
 * The one error class. The message is lower-case, names the thing and then the reason:
 * `cannot remove network "shop_default": 2 containers are attached`.
 */
export class TscomposeError extends Error {
  override readonly name = 'TscomposeError';
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly exitCode: number;
  readonly diagnostics: readonly Diagnostic[];

  constructor(kind: ErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.kind = kind;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? errorKinds[kind].exitCode;
    this.diagnostics = options.diagnostics ?? [];
  }
}

export function isErrorKind(text: string): text is ErrorKind {
  return Object.hasOwn(errorKinds, text);
}

/** True for our own error of one of the kinds. */
export function hasKind(error: unknown, ...kinds: readonly ErrorKind[]): error is TscomposeError {
  return error instanceof TscomposeError && kinds.includes(error.kind);
}

/** Wraps anything thrown at a border into our error; our own errors pass unchanged. */
export function toTscomposeError(error: unknown, context?: string): TscomposeError {
  if (error instanceof TscomposeError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === 'AbortError') {
    return new TscomposeError('canceled', context ?? 'canceled', {cause: error});
  }
  const known = refusals[(error as NodeJS.ErrnoException | undefined)?.code ?? ''];
  const message = known?.text ?? text;
  return new TscomposeError(known?.kind ?? 'internal', context === undefined ? message : `${context}: ${message}`, {
    hint: known?.hint,
    cause: error,
  });
}

const noSpace = {kind: 'exhausted', text: 'no space left on the disk', hint: undefined} as const;
const noFiles = {kind: 'exhausted', text: 'too many open files', hint: 'raise its limit (ulimit -n)'} as const;

/** What the machine may run out of or refuse, wherever a file is opened or written, or a process is started: no fault of ours. */
const refusals: Readonly<
  Record<string, {readonly kind: ErrorKind; readonly text: string; readonly hint: string | undefined}>
> = {
  ENOSPC: noSpace,
  EDQUOT: noSpace,
  EMFILE: noFiles,
  ENFILE: noFiles,
  EAGAIN: {kind: 'exhausted', text: 'no further process can be started', hint: undefined},
  ENOMEM: {kind: 'exhausted', text: 'not enough memory', hint: undefined},
  EROFS: {
    kind: 'forbidden',
    text: 'read-only file system',
    hint: 'mount it for writing, or choose another root with --root',
  },
};
