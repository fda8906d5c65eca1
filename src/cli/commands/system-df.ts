import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {fillTemplate, formatRows, parseRowTemplate} from '../row-template.ts';
import {withEngine} from '../session.ts';
import {detailTables, usageDetails} from '../system/usage-details.ts';
import {usageSummary, usageTitles} from '../system/usage-summary.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';

const kinds = ['Images', 'Containers', 'Volumes', 'BuildCache'];

export function runSystemUsage(context: CliContext, {flags}: Input<'engine system df'>): Promise<number> {
  const {verbose, format = 'table'} = flags;
  const template =
    format === 'table' || format === ''
      ? undefined
      : parseRowTemplate(format, verbose ? kinds : Object.keys(usageTitles));
  return withEngine(context, async (docker) => {
    const usage = await docker.df();
    const rows = usageSummary(usage);
    const columns = terminalColumns(context);
    const {stdout} = context;
    if (verbose) {
      const details = usageDetails(usage, context.now());
      const cacheSize = rows.at(-1)?.Size ?? '';
      stdout.write(
        template
          ? `${fillTemplate(template, {...details}, stdout.isTTY === true)}\n`
          : detailTables(details, cacheSize, columns),
      );
    } else if (template) stdout.write(formatRows(template, rows, {titles: usageTitles, columns}));
    else {
      const fields = Object.keys(usageTitles) as (keyof typeof usageTitles)[];
      const cells = rows.map((row) => fields.map((field) => row[field]));
      stdout.write(formatTable(Object.values(usageTitles), cells, {columns, drop: []}));
    }
    return 0;
  });
}
