import type {FileSource} from '../../base/file-source.ts';
import type {Problems} from '../problems.ts';
import type {Span} from '../source.ts';
import {parseEnvironmentFile} from './dotenv.ts';
import {readSource, shownPath} from './source-file.ts';
import {extendVariables, type OnLookup, watchVariables} from './watched-variables.ts';

/** The variables that stack files may use: the process's, and below them those of environment files. */
export interface Environment {
  readonly values: ReadonlyMap<string, string>;
  /** Where those stand that came from a file. */
  readonly places: ReadonlyMap<string, Span>;
}

export interface EnvironmentReading {
  readonly source: FileSource;
  readonly problems: Problems;
  readonly workingDirectory: string;
  readonly maxFileSize?: number | undefined;
}

export function processEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  onLookup?: OnLookup,
): Environment {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) values.set(name, value);
  return {values: watchVariables(values, onLookup), places: new Map()};
}

/** Puts files below what is known: later files win over earlier ones, and what is set already over all of them. */
export async function withEnvironmentFiles(
  known: Environment,
  paths: readonly string[],
  {source, problems, workingDirectory, maxFileSize}: EnvironmentReading,
): Promise<Environment> {
  const found = new Map<string, {readonly value: string; readonly at: Span}>();
  for (const path of paths) {
    const shown = shownPath(path, workingDirectory);
    const file = await readSource(path, {
      source,
      shown,
      what: 'environment file',
      maxFileSize,
      hint: 'check the path given to --env-file',
    });
    const lookup = (name: string): string | undefined => known.values.get(name);
    const below = (name: string): string | undefined => found.get(name)?.value;
    for (const [name, entry] of parseEnvironmentFile(file, {lookup, below, problems})) found.set(name, entry);
  }
  const added = [...found].filter(([name]) => !known.values.has(name));
  return {
    values: extendVariables(
      known.values,
      added.map(([name, {value}]) => [name, value]),
    ),
    places: new Map([...known.places, ...added.map(([name, {at}]) => [name, at] as const)]),
  };
}
