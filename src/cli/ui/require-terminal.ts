import {exitCodes, TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';

/** Throws where there is no terminal that a screen can be drawn on. */
export function requireTerminal({stdin, stdout, env}: CliContext, command: string): void {
  const hint = 'use "tscompose ps", "tscompose logs -f" and "tscompose events" instead';
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true;
  if (!isTerminal) {
    throw new TscomposeError('invalid', `${command} needs a terminal on standard input and output`, {
      exitCode: exitCodes.usage,
      hint,
    });
  }
  if ((env['TERM'] ?? 'dumb') === 'dumb') {
    throw new TscomposeError('unsupported', `${command} cannot draw on a terminal of type "${env['TERM'] ?? ''}"`, {
      exitCode: exitCodes.usage,
      hint,
    });
  }
}
