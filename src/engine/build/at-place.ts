import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {linesOf, type OpenLines} from '../../base/last-lines.ts';
import {printable} from '../../base/printable.ts';
import {redactUrls} from '../../base/redact-url.ts';
import type {DockerfileSource, Place} from '../../dockerfile/source.ts';

interface FailedSource extends DockerfileSource {
  /** What the program of the step said last. */
  readonly output?: OpenLines | undefined;
}

/** Lines that are told of a program that failed. */
const mostOutput = 12;

/** A failure with its place in the Dockerfile. */
export function atPlace(error: unknown, place: Place, {text, shown, output}: FailedSource): TscomposeError {
  const known = toTscomposeError(error);
  if (known.kind === 'canceled' || known.diagnostics.length > 0) return known;
  const line = text.replace(/^\uFEFF/, '').split('\n')[place.line - 1] ?? '';
  const {message, hint} = known;
  const at = {file: shown, ...place, excerpt: redactUrls(line.replace(/\r$/, ''))};
  const lines = output === undefined ? [] : linesOf(output).map(printable).slice(-mostOutput);
  const more = {...(hint && {hint}), ...(lines.length > 0 && {output: lines})};
  const diagnostic = {severity: 'error', code: 'step-failed', message, ...at, ...more} as const;
  return new TscomposeError(known.kind, message, {cause: known, hint, diagnostics: [diagnostic]});
}
