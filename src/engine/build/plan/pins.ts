import {hasKind} from '../../../base/errors.ts';
import {normaliseReference} from '../../image/reference.ts';

/** The image that a name is locked to, with its digest; undefined: it is not. */
export function pinOf(pins: Readonly<Record<string, string>>, name: string): string | undefined {
  try {
    const normalised = normaliseReference(name);
    return Object.hasOwn(pins, normalised) ? pins[normalised] : undefined;
  } catch (error) {
    if (hasKind(error, 'invalid')) return undefined;
    throw error;
  }
}
