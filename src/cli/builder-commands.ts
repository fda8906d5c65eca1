import {type BuilderInput, builderFlags, builderSummaries} from './builder-flags.ts';
import {type CommandInput, type CommandRow, defineCommand} from './command.ts';
import type {CliContext} from './context.ts';

type Run<K extends keyof typeof builderFlags> = (context: CliContext, input: BuilderInput<K>) => Promise<number>;

function row<K extends keyof typeof builderFlags>(key: K, examples: readonly string[], run: Run<K>): CommandRow {
  return defineCommand({
    name: `engine builder ${key}`,
    ...builderSummaries[key],
    flags: builderFlags[key],
    examples,
    run: (context, input) => run(context, input as CommandInput<never> as BuilderInput<K>),
  });
}

export const builderCommands: readonly CommandRow[] = [
  row('du', ['tscompose engine builder du --filter type=exec.cachemount'], async (context, input) =>
    (await import('./commands/builder-du.ts')).runBuilderUsage(context, input),
  ),
  row(
    'prune',
    [
      'tscompose engine builder prune --filter unused-for=72h',
      'tscompose engine builder prune -a --max-used-space 10g',
    ],
    async (context, input) => (await import('./commands/builder-prune.ts')).runBuilderPrune(context, input),
  ),
  row('export', ['tscompose engine builder export /root/.npm -o npm.tar'], async (context, input) =>
    (await import('./commands/builder-mount.ts')).runMountExport(context, input),
  ),
  row('import', ['tscompose engine builder import /root/.npm -i npm.tar'], async (context, input) =>
    (await import('./commands/builder-mount.ts')).runMountImport(context, input),
  ),
];
