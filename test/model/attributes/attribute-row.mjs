import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {parse} from 'yaml';

/**
 * A row says of one attribute what one file may say of it (`first`, in short form where there is one), what a second file
 * says on top, what `config` prints of the first alone (`expanded`) and of both (`merged`) at the attribute's path, and
 * what the engine is asked for because of the first (`lowered`; empty: nothing). `printed: false`: `config` prints it
 * nowhere, and the values are the project's. `remote: true`: a Docker Engine is asked, not ours.
 * @typedef {{first: object, second: object, profiles?: string[], printed?: boolean, remote?: boolean, expanded: unknown, merged: unknown, lowered: unknown}} AttributeRow
 */

const directory = join(import.meta.dirname, 'rows');

/** Beside the stack file: what rows refer to. */
const surroundings = {
  'base.yaml': 'services: {worker: {image: w, user: "7", labels: {from: base}}}',
  'more.yaml': 'services: {more: {image: m}}',
  'mounting.yaml': 'services: {mounting: {image: m, volumes: ["./d:/d"]}}',
  'tagged.yaml': 'services: {tagged: {image: "t:${ONE}"}}',
  'one.env': 'ONE=1\n',
  'two.env': 'ONE=2\nTWO=2\n',
  'raw.env': 'RAW="a $b"\n',
  'one.labels': 'one=1\n',
  'two.labels': 'one=2\ntwo=2\n',
  's.txt': 'secret of s',
  't.txt': 'secret of t',
  'one.txt': 'one',
  'two.txt': 'two',
};

/** What rows of services stand beside: everything that they name. */
const beside = {
  services: {db: {image: 'y'}, cache: {image: 'y'}, base: {image: 'b', user: '7'}},
  networks: {n: null, m: null},
  volumes: {data: null, other: null},
  configs: {c: {content: 'config of c'}, d: {content: 'config of d'}},
  secrets: {s: {file: './s.txt'}, t: {file: './t.txt'}},
  models: {ai: {model: 'ai/small'}, other: {model: 'ai/large'}},
};

/** What rows of the top level stand in: a service that uses each resource. */
const around = {
  services: {
    web: {image: 'x', networks: ['n'], volumes: ['data:/data'], configs: ['c'], secrets: ['s'], models: ['ai']},
  },
  networks: {n: null},
  volumes: {data: null},
  configs: {c: {content: 'config of c'}},
  secrets: {s: {file: './s.txt'}},
  models: {ai: {model: 'ai/small'}},
};

/** The environment of every row. */
export const environment = {HOME: '/home/me', FROM_SHELL: 'outside', OTHER: 'other'};

/**
 * All rows by name: the path in the schema, that of a service without `services.*.`. Those of a file are together.
 * @returns {Map<string, AttributeRow & {file: string, ofService: boolean}>}
 */
export function readRows() {
  const rows = new Map();
  for (const file of readdirSync(directory).sort()) {
    const ofService = file !== 'stack.yaml';
    for (const [path, row] of Object.entries(parse(readFileSync(join(directory, file), 'utf8'))))
      rows.set(ofService ? `services.*.${path}` : path, {...row, file, ofService});
  }
  return rows;
}

/**
 * The stack files of a row by name: `plain.yaml` without the attribute, `first.yaml`, `second.yaml`, and what they name.
 * @param {AttributeRow & {ofService: boolean}} row
 * @returns {Record<string, string>}
 */
export function filesOf({first, second, ofService}) {
  const image = Object.hasOwn(first, 'provider') ? {} : {image: 'x'};
  const withWeb = (/** @type {object} */ web) => ({...beside, services: {web: {...image, ...web}, ...beside.services}});
  const texts = ofService
    ? {plain: withWeb({image: 'x'}), first: withWeb(first), second: {services: {web: second}}}
    : {plain: around, first: {...around, ...first}, second};
  return {
    ...surroundings,
    ...Object.fromEntries(Object.entries(texts).map(([name, stack]) => [`${name}.yaml`, JSON.stringify(stack)])),
  };
}

/**
 * What stands at a row's path: `[]` are all items, `*` all members.
 * @param {unknown} config
 * @param {string} path
 * @returns {unknown}
 */
export function valueAt(config, path) {
  const steps = path
    .replace(/^services\.\*\./, 'services.web.')
    .replaceAll('[]', '.[]')
    .split('.');
  const all = steps.includes('*') || steps.includes('[]');
  let values = [config];
  for (const step of steps) {
    values = values.flatMap((value) => {
      if (typeof value !== 'object' || value === null) return [];
      if (step === '*' || step === '[]') return Object.values(value);
      return Object.hasOwn(value, step) ? [Reflect.get(value, step)] : [];
    });
  }
  return all ? values : (values[0] ?? null);
}
