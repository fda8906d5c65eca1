import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';

export async function runVersion(context: CliContext, input: Input<'version'>): Promise<number> {
  if (input.flags.short) context.stdout.write(`${context.version}\n`);
  else if (input.flags.format === 'json') context.stdout.write(`${JSON.stringify({version: context.version})}\n`);
  else context.stdout.write(`tscompose version ${context.version}\n`);
  return 0;
}
