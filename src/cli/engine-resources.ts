import {toTscomposeError} from '../base/errors.ts';
import type {Docker} from '../client/docker.ts';
import type {CliContext} from './context.ts';
import {jsonText} from './json-text.ts';
import {reportError} from './report-error.ts';
import {
  checkFields,
  fillTemplate,
  formatRows,
  parseInspectTemplate,
  parseRowTemplate,
  toLines,
} from './row-template.ts';
import {withEngine} from './session.ts';
import {formatTable} from './table.ts';
import {terminalColumns} from './terminal-columns.ts';
import {wrongUse} from './wrong-use.ts';

/** `KEY=VALUE` of a flag that may be repeated; without a value it is empty. */
export function keyValues(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

/** Does it with each of the names and prints that one; goes on with the others where one fails. */
export async function withEachName(
  context: CliContext,
  {names, usage}: {readonly names: readonly string[]; readonly usage: string},
  work: (name: string) => Promise<void>,
): Promise<number> {
  if (names.length === 0) throw wrongUse('too few arguments', `write: tscompose ${usage}`);
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      await work(name);
    } catch (error) {
      failures.push(error);
    }
  }
  return throwLast(context, failures);
}

/** Tells of all but the last failure, and throws that one. Answers 0 where there is none. */
function throwLast(context: CliContext, failures: readonly unknown[]): number {
  if (failures.length === 0) return 0;
  for (const error of failures.slice(0, -1)) reportError(context, toTscomposeError(error));
  throw failures.at(-1);
}

export interface InspectOptions {
  readonly names: readonly string[];
  readonly usage: string;
  /** `json`, or a template of Go; without one it is JSON for people. */
  readonly format: string | undefined;
  /** Fields that not all have. */
  readonly optional?: readonly string[];
}

/** Prints what is known of each of the names: of those that are there, where others are not. */
export async function inspectEach(
  context: CliContext,
  {names, usage, format = '', optional = []}: InspectOptions,
  inspect: (docker: Docker, name: string) => Promise<object>,
): Promise<number> {
  if (names.length === 0) throw wrongUse('too few arguments', `write: tscompose ${usage}`);
  const template = format === '' || format === 'json' ? undefined : parseInspectTemplate(format);
  const {stdout} = context;
  return await withEngine(context, async (docker) => {
    const found: object[] = [];
    const failures: unknown[] = [];
    for (const name of names) {
      try {
        found.push(await inspect(docker, name));
      } catch (error) {
        failures.push(error);
      }
    }
    if (template === undefined) stdout.write(`${jsonText(found, format === 'json' ? undefined : 4)}\n`);
    else {
      for (const one of found) {
        checkFields(template, [...new Set([...Object.keys(one), ...optional])]);
        stdout.write(`${fillTemplate(template, {...one}, stdout.isTTY === true)}\n`);
      }
    }
    return throwLast(context, failures);
  });
}

export interface ListOptions<K extends string> {
  readonly flags: {readonly quiet: boolean; readonly format?: string};
  /** Fields of a row by their names, which templates use, with their titles. */
  readonly titles: Readonly<Record<K, string>>;
  /** What a table shows that nothing else is said of. */
  readonly columns: readonly K[];
  /** What is printed alone. */
  readonly quiet: K;
}

/** Prints a list as a table, as names or ids, as a line of JSON for each, or by a template. */
export async function listOf<K extends string>(
  context: CliContext,
  {flags, titles, columns, quiet}: ListOptions<K>,
  list: (docker: Docker) => Promise<readonly Readonly<Record<K, string>>[]>,
): Promise<number> {
  const {format = ''} = flags;
  const template = ['', 'table'].includes(format) ? undefined : parseRowTemplate(format, Object.keys(titles));
  const {stdout} = context;
  return await withEngine(context, async (docker) => {
    const rows = await list(docker);
    const terminal = terminalColumns(context);
    const cells = () => rows.map((row) => columns.map((field) => row[field]));
    const header = columns.map((field) => titles[field]);
    if (flags.quiet) stdout.write(toLines(rows.map((row) => row[quiet])));
    else if (template) stdout.write(formatRows(template, rows, {titles, columns: terminal}));
    else stdout.write(formatTable(header, cells(), {columns: terminal, drop: []}));
    return 0;
  });
}

/** `a=b,c=d`, in order. */
export function labelText(labels: Readonly<Record<string, string>> | null): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}
