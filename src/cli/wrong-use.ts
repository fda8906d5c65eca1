import {exitCodes, TscomposeError} from '../base/errors.ts';

/** An error of how a command was called. */
export function wrongUse(message: string, hint?: string): TscomposeError {
  return new TscomposeError('invalid', message, {exitCode: exitCodes.usage, hint});
}

/** The arguments of a command that takes so many. Throws a usage error that shows how it is called. */
export function checkCount(
  args: readonly string[],
  {least, most = least, usage}: {readonly least: number; readonly most?: number; readonly usage: string},
): readonly string[] {
  if (args.length >= least && args.length <= most) return args;
  const [few, many] = args.length < least ? ['too few', ''] : ['', 'too many'];
  throw wrongUse(`${few}${many} arguments`, `write: tscompose ${usage}`);
}
