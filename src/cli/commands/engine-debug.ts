import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {enterShell, hasTerminal} from '../build/debug-shell.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {onlyArgument} from '../only-argument.ts';
import {withEngine} from '../session.ts';

/** Opens the shell that a step of another command's build is held for. */
export function runEngineDebug(context: CliContext, {args}: Input<'engine debug'>): Promise<number> {
  const name = onlyArgument('engine debug', args);
  if (!hasTerminal(context)) {
    throw new TscomposeError('invalid', 'engine debug needs a terminal on standard input and output', {
      exitCode: exitCodes.usage,
    });
  }
  return withEngine(context, async (docker) => {
    await enterShell(context, docker, name);
    return exitCodes.success;
  });
}
