import type {ContainerConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';

type Options = Readonly<Record<string, string>>;

/** Throws `invalid`. */
export function checkAttributeOptions(options: Options): void {
  for (const name of ['labels-regex', 'env-regex']) compile(name, options[name]);
}

function compile(name: string, pattern: string | undefined): RegExp | undefined {
  if (!pattern) return undefined;
  try {
    return new RegExp(pattern, 'u');
  } catch {
    throw new TscomposeError('invalid', `the log option ${name} is no regular expression: ${pattern}`);
  }
}

/** Labels and variables of the container that its log carries; `rename` makes their names what a driver takes. */
export function logAttributes(
  options: Options,
  {Labels, Env}: Pick<ContainerConfig, 'Labels' | 'Env'>,
  rename: (name: string) => string = (name) => name,
): Readonly<Record<string, string>> {
  const variables = Object.fromEntries(
    (Env ?? []).filter((entry) => entry.includes('=')).map((entry) => splitAt(entry, entry.indexOf('='))),
  );
  const chosen = [
    ...choose(Labels ?? {}, options.labels, compile('labels-regex', options['labels-regex'])),
    ...choose(variables, options.env, compile('env-regex', options['env-regex'])),
  ];
  return Object.fromEntries(chosen.map(([name, value]) => [rename(name), value]));
}

function splitAt(entry: string, at: number): readonly [string, string] {
  return [entry.slice(0, at), entry.slice(at + 1)];
}

function choose(
  values: Readonly<Record<string, string>>,
  list: string | undefined,
  pattern: RegExp | undefined,
): readonly (readonly [string, string])[] {
  const names = new Set(list ? list.split(',') : []);
  return Object.entries(values).filter(([name]) => names.has(name) || pattern?.test(name) === true);
}

/** As Docker writes them into a json-file log: sorted, and with what HTML would read escaped. */
export function attributesText(attributes: Readonly<Record<string, string>>): string {
  const sorted = Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  return JSON.stringify(sorted).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
