import {exitCodes, TscomposeError} from '../base/errors.ts';
import {didYouMean} from '../base/suggest.ts';
import {formatTable} from './table.ts';

/** What a `--format` with braces asks for of each row: the part of Go's templates that command lines use. */
export interface RowTemplate {
  /** `table {{.Name}}\t{{.ID}}`: with titles, in aligned columns. */
  readonly isTable: boolean;
  readonly pieces: readonly Piece[];
}

type Piece =
  | {readonly kind: 'text'; readonly text: string}
  /** Without a field: the whole row. */
  | {
      readonly kind: 'value';
      readonly field: string | undefined;
      readonly convert: keyof typeof conversions | undefined;
    };

export type Row = Readonly<Record<string, unknown>>;

const conversions = {
  json: (value: unknown) => JSON.stringify(value),
  upper: (value: unknown) => String(value).toUpperCase(),
  lower: (value: unknown) => String(value).toLowerCase(),
} as const;

/** Reads `{{.Name}}: {{.CPUPerc}}`, `json` (which is `{{json .}}`), `table {{.Name}}\t{{.ID}}`. Throws a usage error that names what is wrong. */
export function parseRowTemplate(given: string, fields: readonly string[]): RowTemplate {
  const [, table, rest = ''] = /^(table\s+)?([\s\S]*)$/.exec(given === 'json' ? '{{json .}}' : given) ?? [];
  const text = rest.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const pieces: Piece[] = [];
  let from = 0;
  for (const {index, 0: all, 1: inside = ''} of text.matchAll(/\{\{-?\s*([\s\S]*?)\s*-?\}\}/g)) {
    if (index > from) pieces.push({kind: 'text', text: text.slice(from, index)});
    pieces.push(parseValue(inside, fields));
    from = index + all.length;
  }
  if (from < text.length) pieces.push({kind: 'text', text: text.slice(from)});
  if (!pieces.some(({kind}) => kind === 'value')) {
    throw wrong(`--format "${given}": expected table, json, or a template such as '{{.Name}}'`);
  }
  return {isTable: table !== undefined, pieces};
}

function parseValue(inside: string, fields: readonly string[]): Piece {
  const [, word, field] = /^(?:([a-z]+)\s+)?\.([\w.]*)$/.exec(inside) ?? [];
  const isKnown = word === undefined || Object.hasOwn(conversions, word);
  if (field === undefined || !isKnown || (field === '' && word !== 'json')) {
    throw wrong(`--format: "{{${inside}}}" is not understood`, 'write {{.Field}}, {{json .}} or {{upper .Field}}');
  }
  const [first = ''] = field.split('.');
  if (field !== '' && !fields.includes(first)) {
    throw wrong(
      `--format: there is no field "${first}"`,
      didYouMean(first, fields) ?? `there are ${fields.join(', ')}`,
    );
  }
  return {
    kind: 'value',
    field: field === '' ? undefined : field,
    convert: word as keyof typeof conversions | undefined,
  };
}

function wrong(message: string, hint?: string): TscomposeError {
  return new TscomposeError('invalid', message, {exitCode: exitCodes.usage, hint});
}

/** A line a row; of a template that asks for a table, a table with titles. `columns` are the terminal's, where it is one. */
export function formatRows(
  template: RowTemplate,
  rows: readonly Row[],
  titles: Readonly<Record<string, string>>,
  columns?: number,
): string {
  const filled = rows.map((row) => fillTemplate(template, row));
  if (!template.isTable) return toLines(filled);
  return formatTable(
    fillTemplate(template, titles).split('\t'),
    filled.map((line) => line.split('\t')),
    {columns, drop: []},
  );
}

/** Each with its line feed. */
export function toLines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

export function fillTemplate({pieces}: RowTemplate, row: Row): string {
  return pieces
    .map((piece) => {
      if (piece.kind === 'text') return piece.text;
      const value = piece.field === undefined ? row : memberOf(row, piece.field);
      if (piece.convert !== undefined) return conversions[piece.convert](value);
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
    })
    .join('');
}

/** `Config.Cmd`: of a value that has no such member, nothing. */
function memberOf(row: Row, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (isRow(value) && Object.hasOwn(value, name) ? value[name] : ''), row);
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null;
}
