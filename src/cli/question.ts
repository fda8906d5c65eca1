import {TscomposeError} from '../base/errors.ts';
import type {CliContext} from './context.ts';

export interface QuestionOptions {
  readonly signal?: AbortSignal;
  /** Lines of others may be written while it is open: it ends its own line, so that none of them is glued to it. */
  readonly amidOutput?: boolean;
}

/**
 * Asks a yes-or-no question on the terminal; without one the answer is no, as it is for anything but "y" or "yes". The
 * signal, and Ctrl-C, end it with kind `canceled`.
 */
export async function askOnTerminal(
  context: Pick<CliContext, 'stdin' | 'stderr'>,
  question: string,
  {signal, amidOutput = false}: QuestionOptions = {},
): Promise<boolean> {
  if (context.stdin.isTTY !== true || context.stderr.isTTY !== true) return false;
  // Loaded here: hardly any command asks.
  const {createInterface} = process.getBuiltinModule('node:readline/promises');
  const lines = createInterface({input: context.stdin, output: context.stderr});
  try {
    // Not as the prompt of the line: that is drawn again while the answer is edited, over what was written meanwhile.
    if (amidOutput) context.stderr.write(`${question} [y/N, then enter]\n`);
    const answer = await lines.question(amidOutput ? '' : `${question} [y/N] `, signal === undefined ? {} : {signal});
    return /^y(es)?$/i.test(answer.trim());
  } catch (cause) {
    throw new TscomposeError('canceled', 'interrupted', {cause});
  } finally {
    lines.close();
  }
}
