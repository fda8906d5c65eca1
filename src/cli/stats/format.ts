import {formatRows, parseRowTemplate, type Row, type RowTemplate} from '../row-template.ts';
import {humanSize, memorySize} from '../size.ts';
import {type Fit, formatTable} from '../table.ts';
import type {UsageSample} from './sample.ts';

/** Fields of a row, in Docker's words and order, with their titles in a table. */
const titles = {
  BlockIO: 'BLOCK I/O',
  CPUPerc: 'CPU %',
  Container: 'CONTAINER',
  ID: 'CONTAINER ID',
  MemPerc: 'MEM %',
  MemUsage: 'MEM USAGE / LIMIT',
  Name: 'NAME',
  NetIO: 'NET I/O',
  PIDs: 'PIDS',
  Service: 'SERVICE',
} as const;

type Field = keyof typeof titles;

const fields = Object.keys(titles) as readonly Field[];
const tableFields: readonly Field[] = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'];

/** What `--format` asks for. */
export type StatsFormat = {readonly kind: 'table'} | {readonly kind: 'template'; readonly template: RowTemplate};

/** Throws a usage error. */
export function parseStatsFormat(given: string | undefined): StatsFormat {
  if (given === undefined || given === '' || given === 'table') return {kind: 'table'};
  return {kind: 'template', template: parseRowTemplate(given, fields)};
}

export interface StatsText {
  readonly format: StatsFormat;
  readonly wholeIds: boolean;
  /** Of the terminal, where it is one. */
  readonly columns: number | undefined;
}

/** The samples as a table, or a line each. */
export function formatStats(samples: readonly UsageSample[], {format, wholeIds, columns}: StatsText): string {
  const rows = samples.map((sample) => toRow(sample, wholeIds));
  const fit: Fit = {
    columns: wholeIds ? undefined : columns,
    drop: [titles.ID, titles.BlockIO, titles.PIDs, titles.NetIO, titles.MemPerc],
    cut: {[titles.Name]: 8},
  };
  if (format.kind === 'table') {
    const cells = rows.map((row) => tableFields.map((field) => row[field]));
    return formatTable(
      tableFields.map((field) => titles[field]),
      cells,
      fit,
    );
  }
  return formatRows(format.template, rows, {titles, columns: fit.columns, forTerminal: columns !== undefined});
}

function toRow({container, usage}: UsageSample, wholeIds: boolean): Row & Readonly<Record<Field, string>> {
  const {id, name, service} = container;
  const of = (first: number, second: number, size: (bytes: number) => string) => `${size(first)} / ${size(second)}`;
  const percent = (value: number) => `${value.toFixed(2)}%`;
  const {memory = 0, memoryLimit = 0, received = 0, sent = 0, read = 0, written = 0, processes = 0} = usage ?? {};
  return {
    BlockIO: of(read, written, humanSize),
    // Not known yet, other than none.
    CPUPerc: usage !== undefined && usage.cpuPercent === undefined ? '--' : percent(usage?.cpuPercent ?? 0),
    Container: id,
    ID: wholeIds ? id : id.slice(0, 12),
    MemPerc: percent(memoryLimit === 0 ? 0 : (memory / memoryLimit) * 100),
    MemUsage: of(memory, memoryLimit, memorySize),
    Name: name,
    NetIO: of(received, sent, humanSize),
    PIDs: String(processes),
    Service: service,
  };
}
