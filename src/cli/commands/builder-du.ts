import {pruneMatcher} from '../../engine/build/prune-choice.ts';
import type {BuilderInput} from '../builder-flags.ts';
import {builderBlocks, builderTable, builderTotals} from '../builder-table.ts';
import type {CliContext} from '../context.ts';
import {readFilters} from '../image-name.ts';
import {jsonText} from '../json-text.ts';
import {withEngine} from '../session.ts';
import {terminalColumns} from '../terminal-columns.ts';
import {checkCount} from '../wrong-use.ts';

export function runBuilderUsage(context: CliContext, {args, flags}: BuilderInput<'du'>): Promise<number> {
  checkCount(args, {least: 0, usage: 'engine builder du [OPTIONS]'});
  const matches = pruneMatcher({all: true, filters: readFilters(flags.filter)}, context.now);
  return withEngine(context, async (docker) => {
    const {BuildCache} = await docker.df({type: ['build-cache']});
    const rows = (BuildCache ?? []).filter((row) =>
      matches({row, usedMs: Date.parse(row.LastUsedAt ?? row.CreatedAt), isOfImage: false}),
    );
    const {stdout} = context;
    const now = context.now();
    if (flags.format === 'json') stdout.write(rows.map((row) => `${jsonText(row)}\n`).join(''));
    else if (flags.verbose) stdout.write(`${builderBlocks(rows, now)}${builderTotals(rows)}`);
    else stdout.write(`${builderTable(rows, {now, columns: terminalColumns(context)})}${builderTotals(rows)}`);
    return 0;
  });
}
