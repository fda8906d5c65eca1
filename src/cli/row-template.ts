import {exitCodes, TscomposeError} from '../base/errors.ts';
import {didYouMean} from '../base/suggest.ts';
import {type FillOptions, fillNodes} from './go-template/fill.ts';
import type {TemplateNode} from './go-template/nodes.ts';
import {parseTemplate} from './go-template/parse.ts';
import {formatTable} from './table.ts';

/** What a `--format` with braces asks for of each row: a template of Go with Docker's functions. */
export interface RowTemplate {
  /** `table {{.Name}}\t{{.ID}}`: with titles, in aligned columns. */
  readonly isTable: boolean;
  readonly nodes: readonly TemplateNode[];
  /** Fields of the row that it names. */
  readonly fields: ReadonlySet<string>;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * Reads `{{.Name}}: {{.CPUPerc}}`, `json` (which is `{{json .}}`), `table {{.Name}}\t{{.ID}}`. Throws a usage error that names
 * what is wrong. Without `fields` those that it names are to be checked later.
 */
export function parseRowTemplate(given: string, fields?: readonly string[]): RowTemplate {
  const [, table, rest = ''] = /^(table\s+)?([\s\S]*)$/.exec(given === 'json' ? '{{json .}}' : given) ?? [];
  const text = rest.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const parsed = parseTemplate(text, refuse);
  if (!parsed.hasActions) {
    throw wrong(`--format "${given}": expected table, json, or a template such as '{{.Name}}'`);
  }
  const template = {isTable: table !== undefined, nodes: parsed.nodes, fields: parsed.fields};
  if (fields !== undefined) checkFields(template, fields);
  return template;
}

/** The same of inspect: what is written there is meant as it stands, without titles, and need not name anything. */
export function parseInspectTemplate(given: string): RowTemplate {
  const {nodes, fields} = parseTemplate(given, refuse);
  return {isTable: false, nodes, fields};
}

function refuse(part: string, reason: string): never {
  throw wrong(`--format: "${part}": ${reason}`);
}

/** Throws a usage error for a field that is not there. */
export function checkFields(template: RowTemplate, fields: readonly string[]): void {
  const wanted = [...template.fields].find((field) => !fields.includes(field));
  if (wanted === undefined) return;
  const hint = didYouMean(wanted, fields) ?? `there are ${fields.join(', ')}`;
  throw wrong(`--format: there is no field "${wanted}"`, hint);
}

function wrong(message: string, hint?: string): TscomposeError {
  return new TscomposeError('invalid', message, {exitCode: exitCodes.usage, hint});
}

export interface RowsShown {
  readonly titles: Readonly<Record<string, string>>;
  /** Of the terminal, which a table has to fit. */
  readonly columns: number | undefined;
  /** Control characters of values are left out; where it is not said, as `columns` are. */
  readonly forTerminal?: boolean;
}

/** A line a row; of a template that asks for a table, a table with titles. */
export function formatRows(
  template: RowTemplate,
  rows: readonly Row[],
  {titles, columns, forTerminal = columns !== undefined}: RowsShown,
): string {
  const filled = rows.map((row) => fillTemplate(template, row, forTerminal));
  if (!template.isTable) return toLines(filled);
  return formatTable(
    fill(template, titles, {forTitles: true}).split('\t'),
    filled.map((line) => line.split('\t')),
    {columns, drop: []},
  );
}

/** Each with its line feed. */
export function toLines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

export function fillTemplate(template: RowTemplate, row: Row, forTerminal: boolean): string {
  return fill(template, row, {forTerminal});
}

function fill({nodes}: RowTemplate, row: Row, options: FillOptions): string {
  try {
    return fillNodes(nodes, row, options);
  } catch (error) {
    throw wrong(`--format: ${(error as Error).message}`);
  }
}
