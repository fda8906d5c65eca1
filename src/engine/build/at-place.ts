import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {redactUrls} from '../../base/redact-url.ts';
import type {DockerfileSource, Place} from '../../dockerfile/source.ts';

/** A failure with its place in the Dockerfile. */
export function atPlace(error: unknown, place: Place, {text, shown}: DockerfileSource): TscomposeError {
  const known = toTscomposeError(error);
  if (known.kind === 'canceled' || known.diagnostics.length > 0) return known;
  const line = text.replace(/^\uFEFF/, '').split('\n')[place.line - 1] ?? '';
  const {message, hint} = known;
  const at = {file: shown, ...place, excerpt: redactUrls(line.replace(/\r$/, ''))};
  const diagnostic = {severity: 'error', code: 'step-failed', message, ...at, ...(hint && {hint})} as const;
  return new TscomposeError(known.kind, message, {cause: known, hint, diagnostics: [diagnostic]});
}
