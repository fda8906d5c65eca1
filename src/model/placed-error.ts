import {type ErrorKind, TscomposeError} from '../base/errors.ts';
import {excerptOf, positionOf} from './source.ts';
import type {Project} from './types.ts';

/** What is wrong with a value of a stack that was read already, by its path, with the place where it stands. */
export function placedError(
  {provenance}: Pick<Project, 'provenance'>,
  path: string,
  {kind = 'invalid', message, hint}: {readonly kind?: ErrorKind; readonly message: string; readonly hint?: string},
): TscomposeError {
  const span = provenance.span?.(path);
  const told = {message, ...(hint !== undefined && {hint})};
  if (span === undefined) return new TscomposeError(kind, message, {hint});
  const code = kind.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const place = {...positionOf(span), file: span.source.shown, ...excerptOf(span)};
  return new TscomposeError(kind, message, {hint, diagnostics: [{severity: 'error', code, ...told, ...place}]});
}
