import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {completionScripts} from '../completion/scripts.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';

export async function runCompletion(context: CliContext, {args}: Input<'completion'>): Promise<number> {
  const [shell = '', ...more] = args;
  if (more.length > 0 || !isShell(shell)) {
    throw new TscomposeError('invalid', `completion is there for ${Object.keys(completionScripts).join(', ')}`, {
      exitCode: exitCodes.usage,
      hint: 'for bash: source <(tscompose completion bash)',
    });
  }
  context.stdout.write(completionScripts[shell]);
  return 0;
}

function isShell(word: string): word is keyof typeof completionScripts {
  return Object.hasOwn(completionScripts, word);
}
