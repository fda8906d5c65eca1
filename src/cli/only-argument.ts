import {exitCodes, TscomposeError} from '../base/errors.ts';

/** The one argument of a command. Throws a usage error for none, and for more. */
export function onlyArgument(command: string, args: readonly string[]): string {
  const [first, second] = args;
  if (first !== undefined && second === undefined) return first;
  throw new TscomposeError(
    'invalid',
    first === undefined
      ? `"${command}" needs an argument`
      : `"${command}" takes one argument, but "${second}" was given too`,
    {exitCode: exitCodes.usage, hint: `see: tscompose ${command} --help`},
  );
}
