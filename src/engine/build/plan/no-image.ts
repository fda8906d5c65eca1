import {TscomposeError, toTscomposeError} from '../../../base/errors.ts';
import {didYouMean} from '../../../base/suggest.ts';

/**
 * The failure of what is to be an image, which it names: variables may be in what stands there. It may be a stage or a context
 * (`names`) that is misspelt: the hint says so, in front of what it said.
 */
export function noImage(error: unknown, reference: string, names: readonly string[]): TscomposeError {
  const known = toTscomposeError(error);
  if (known.kind === 'canceled' || known.diagnostics.length > 0) return known;
  const isNamed = [`"${reference}"`, ` ${reference}`].some((text) => known.message.includes(text));
  const message = isNamed ? known.message : `image "${reference}": ${known.message}`;
  const meant = /^[\w.-]+$/.test(reference) ? didYouMean(reference, names) : undefined;
  const hint = [meant, known.hint].filter((part) => part !== undefined).join(' Otherwise: ');
  return new TscomposeError(known.kind, message, {cause: known, ...(hint !== '' && {hint})});
}
