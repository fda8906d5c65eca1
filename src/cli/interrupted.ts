import {exitCodes} from '../base/errors.ts';
import type {CliContext} from './context.ts';

/** The exit code after Ctrl-C. A terminal has written `^C` into the line: the prompt gets one of its own. */
export function interrupted({stdin, stdout}: CliContext): number {
  if (stdin.isTTY === true && stdout.isTTY === true) stdout.write('\n');
  return exitCodes.interrupted;
}
