import {ownHeaders} from '../api/version.ts';
import {readDiagnostics} from '../base/diagnostic.ts';
import {type ErrorKind, type ErrorOptions, errorKinds, isErrorKind, TscomposeError} from '../base/errors.ts';
import type {CallResponse} from './transport.ts';

/** An error that an engine answered, with what dockerode's errors carry. */
export class EngineError extends TscomposeError {
  readonly statusCode: number;
  /** The answer's body, where it is JSON. */
  readonly json: unknown;

  constructor(
    kind: ErrorKind,
    message: string,
    options: ErrorOptions & {readonly statusCode: number; readonly json: unknown},
  ) {
    super(kind, message, options);
    this.statusCode = options.statusCode;
    this.json = options.json;
  }
}

/** Turns an answer outside an endpoint's success statuses into an error; its kind is our header's, else by status. */
export async function errorOfResponse(response: CallResponse, subject: string): Promise<EngineError> {
  const json = await bodyOf(response);
  const silent = response.status === 304 ? 'nothing to change' : `answered with status ${response.status}`;
  const message = textMember(json, 'message') ?? `${subject}: ${silent}`;
  const exitCode = numberMember(json, 'exitCode');
  return new EngineError(kindOf(response), message, {
    statusCode: response.status,
    json,
    hint: textMember(json, 'hint'),
    exitCode,
    diagnostics: readDiagnostics(member(json, 'diagnostics')),
    cause: response.cause,
  });
}

function kindOf(response: CallResponse): ErrorKind {
  const stated = response.headers[ownHeaders.errorKind];
  if (stated !== undefined) return isErrorKind(stated) ? stated : 'internal';
  return kindOfStatus(response.status);
}

/** The kind a status stands for; `internal` for one that is in no row of the table. */
function kindOfStatus(status: number): ErrorKind {
  for (const [kind, row] of Object.entries(errorKinds)) {
    if (row.httpStatus === status && isErrorKind(kind)) return kind;
  }
  return status >= 400 && status < 500 ? 'invalid' : 'internal';
}

async function bodyOf(response: CallResponse): Promise<unknown> {
  if ('json' in response.body) return response.body.json;
  const pieces: Uint8Array[] = [];
  for await (const piece of response.body.stream) pieces.push(piece);
  const text = Buffer.concat(pieces).toString('utf8').trim();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return {message: text};
  }
}

function member(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null
    ? Object.entries(json).find(([key]) => key === name)?.[1]
    : undefined;
}

function textMember(json: unknown, name: string): string | undefined {
  const value = member(json, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberMember(json: unknown, name: string): number | undefined {
  const value = member(json, name);
  return typeof value === 'number' ? value : undefined;
}
