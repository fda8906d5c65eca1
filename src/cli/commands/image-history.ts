import type {ImageHistoryItem} from '../../api/types/image.ts';
import {cut} from '../../report/cells.ts';
import type {CliContext} from '../context.ts';
import type {ImageInput} from '../image-flags.ts';
import {shortId} from '../image-name.ts';
import {humanDuration} from '../relative-time.ts';
import {formatRows, parseRowTemplate, toLines} from '../row-template.ts';
import {withEngine} from '../session.ts';
import {humanSize} from '../size.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';
import {checkCount} from '../wrong-use.ts';

const titles = {
  ID: 'IMAGE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
} as const;

export function runImageHistory(context: CliContext, {args, flags}: ImageInput<'history'>): Promise<number> {
  const [name = ''] = checkCount(args, {least: 1, usage: 'engine history [OPTIONS] IMAGE'});
  const template =
    flags.format === undefined || flags.format === 'table'
      ? undefined
      : parseRowTemplate(flags.format, Object.keys(titles));
  return withEngine(context, async (docker) => {
    const items = await docker.getImage(name).history({platform: flags.platform});
    const rows = items.map((item) => rowOf(item, context.now(), flags));
    if (flags.quiet) context.stdout.write(toLines(rows.map(({ID}) => ID)));
    else if (template) context.stdout.write(formatRows(template, rows, {titles, columns: terminalColumns(context)}));
    else context.stdout.write(table(rows, flags.human, terminalColumns(context)));
    return 0;
  });
}

type Fields = {readonly [K in keyof typeof titles]: string};

/** Docker's own cut. */
const createdByCells = 45;

function rowOf(item: ImageHistoryItem, now: number, flags: ImageInput<'history'>['flags']): Fields {
  const whole = flags['no-trunc'];
  // What the first builders put before every instruction that ran nothing.
  const step = item.CreatedBy.replaceAll('\t', ' ').replace('/bin/sh -c #(nop) ', '');
  return {
    ID: whole || item.Id === '<missing>' ? item.Id : shortId(item.Id),
    CreatedSince: item.Created <= 0 ? 'N/A' : `${humanDuration(now / 1000 - item.Created)} ago`,
    CreatedAt: new Date(item.Created * 1000).toISOString().replace('.000Z', 'Z'),
    CreatedBy: whole ? step : cut(step, createdByCells),
    Size: flags.human ? humanSize(item.Size) : String(item.Size),
    Comment: item.Comment,
  };
}

function table(rows: readonly Fields[], human: boolean, columns: number | undefined): string {
  const fields = ['ID', human ? 'CreatedSince' : 'CreatedAt', 'CreatedBy', 'Size', 'Comment'] as const;
  return formatTable(
    fields.map((field) => titles[field]),
    rows.map((row) => fields.map((field) => row[field])),
    {columns, drop: ['COMMENT', 'CREATED', 'IMAGE'], cut: {'CREATED BY': 16}},
  );
}
