import {TscomposeError} from '../../base/errors.ts';

/** A name that stands for that of another container. */
export interface Link {
  readonly alias: string;
  readonly name: string;
}

/** `CONTAINER[:ALIAS]`, as the name service is told. Throws `invalid`. */
export function parseLink(text: string): Link {
  const [reference = '', alias = reference, ...rest] = text.split(':');
  const name = nameOf(reference);
  if (name === '' || nameOf(alias) === '' || rest.length > 0)
    throw new TscomposeError('invalid', `bad format for links: ${text}`, {hint: 'write CONTAINER or CONTAINER:ALIAS'});
  return {alias: nameOf(alias).toLowerCase(), name: name.toLowerCase()};
}

/** The last part of `/container/alias`; of a whole id what the name service answers to. */
function nameOf(text: string): string {
  const name = text.slice(text.lastIndexOf('/') + 1);
  return /^[0-9a-f]{64}$/.test(name) ? name.slice(0, 12) : name;
}
