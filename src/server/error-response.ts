import {ownHeaders} from '../api/version.ts';
import {errorKinds, toTscomposeError} from '../base/errors.ts';
import type {ServerResponse} from './request.ts';

/** The Engine API's `{"message": …}`, with kind, hint and exit code of ours beside it. */
export function errorResponse(error: unknown, headers: Readonly<Record<string, string>>): ServerResponse {
  const {kind, message, hint, exitCode, diagnostics} = toTscomposeError(error);
  const status = errorKinds[kind].httpStatus;
  const own = {...headers, [ownHeaders.errorKind]: kind};
  if (status === 304) return {status, headers: own, body: {json: undefined}, cause: error};
  const body = {
    message,
    ...(hint === undefined ? {} : {hint}),
    ...(exitCode === errorKinds[kind].exitCode ? {} : {exitCode}),
    ...(diagnostics.length === 0 ? {} : {diagnostics}),
  };
  return {status, headers: own, body: {json: body}, cause: error};
}

/** The last line of a progress stream that failed after status 200 was sent. */
export function errorLine(error: unknown): unknown {
  const {kind, message, hint, diagnostics} = toTscomposeError(error);
  const more = {...(hint === undefined ? {} : {hint}), ...(diagnostics.length === 0 ? {} : {diagnostics})};
  return {error: message, errorDetail: {message, kind, ...more}};
}
