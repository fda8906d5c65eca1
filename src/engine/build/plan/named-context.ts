import type {BuildContextSource} from '../../../api/types/build.ts';
import {hasKind} from '../../../base/errors.ts';
import {familiarReference, normaliseReference} from '../../image/reference.ts';

type Contexts = Readonly<Record<string, BuildContextSource>>;

/**
 * The name under which a context stands for what a line calls so: the same, or the short one of the image that it names, as clients
 * write it: `base` for `base:latest`, and for `docker.io/library/base`. Undefined: none does.
 */
export function contextNamed(contexts: Contexts, name: string): string | undefined {
  return [name, shortName(name)].find((one) => one !== undefined && Object.hasOwn(contexts, one));
}

function shortName(name: string): string | undefined {
  try {
    return familiarReference(normaliseReference(name)).replace(/:latest$/, '');
  } catch (error) {
    if (hasKind(error, 'invalid')) return undefined;
    throw error;
  }
}
