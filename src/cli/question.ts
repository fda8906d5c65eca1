import {createInterface} from 'node:readline/promises';
import {TscomposeError} from '../base/errors.ts';
import type {CliContext} from './context.ts';

/**
 * Asks a yes-or-no question on the terminal; without one the answer is no, as it is for anything but "y" or "yes". The
 * signal, and Ctrl-C, end it with kind `canceled`.
 */
export async function askOnTerminal(context: CliContext, question: string, signal?: AbortSignal): Promise<boolean> {
  if (context.stdin.isTTY !== true || context.stderr.isTTY !== true) return false;
  const lines = createInterface({input: context.stdin, output: context.stderr});
  try {
    const answer = await lines.question(`${question} [y/N] `, signal === undefined ? {} : {signal});
    return /^y(es)?$/i.test(answer.trim());
  } catch (cause) {
    throw new TscomposeError('canceled', 'interrupted', {cause});
  } finally {
    lines.close();
  }
}
