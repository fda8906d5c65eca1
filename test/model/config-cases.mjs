import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

const here = import.meta.dirname;

/**
 * All cases that are compared with Compose: stack files of `corpus/`, which share the files of `corpus/files/`, and those of
 * `loading/`, which hold several files each.
 * @returns {import('./config-cases.d.mts').ConfigCase[]}
 */
export function readConfigCases() {
  return [...stackFiles(), ...severalFiles()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @param {string} directory @param {string} ending */
function namesIn(directory, ending) {
  return readdirSync(join(here, directory))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, file.length - ending.length));
}

/** @param {string} path */
function textOf(path) {
  return readFileSync(join(here, path), 'utf8');
}

function stackFiles() {
  const shared = Object.fromEntries(
    namesIn('corpus/files', '').map((file) => [`files/${file}`, textOf(`corpus/files/${file}`)]),
  );
  return namesIn('corpus', '.yaml').map((name) => {
    const text = textOf(`corpus/${name}.yaml`);
    const head = headOf(text);
    return {
      ...head,
      name,
      arguments: ['-f', `${name}.yaml`, ...head.arguments],
      files: {[`${name}.yaml`]: text, ...shared},
    };
  });
}

/** Files that stand in one text, each below a line `=== PATH`; `\r` at the end of a line is a carriage return. */
function severalFiles() {
  return namesIn('loading', '.case').map((name) => {
    const [head = '', ...parts] = textOf(`loading/${name}.case`).split(/^=== /m);
    const files = parts.map((part) => {
      const end = part.indexOf('\n');
      return [part.slice(0, end), part.slice(end + 1).replaceAll('\\r\n', '\r\n')];
    });
    return {...headOf(head), name, files: Object.fromEntries(files)};
  });
}

/** How Compose is called, which stands in comments. @param {string} text */
function headOf(text) {
  const value = (/** @type {string} */ name) => new RegExp(`^# ${name}: (.*)$`, 'm').exec(text)?.[1];
  const words = (/** @type {string} */ name) => value(name)?.split(' ') ?? [];
  const pairs = words('environment').map((pair) => pair.split(/=(.*)/s).slice(0, 2));
  return {
    arguments: words('arguments'),
    services: words('services'),
    environment: Object.fromEntries(pairs),
    directory: value('directory') ?? '.',
    input: value('input'),
  };
}
