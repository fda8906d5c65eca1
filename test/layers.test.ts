import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {expect, test} from 'vitest';

/** Which layer may import which; the same table as in docs/architecture.md. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  base: [],
  dockerfile: ['base'],
  api: ['base'],
  model: ['base', 'api', 'dockerfile'],
  plan: ['base', 'api', 'model'],
  report: ['base', 'api', 'plan'],
  client: ['base', 'api'],
  reconcile: ['base', 'api', 'model', 'plan', 'report', 'client'],
  engine: ['base', 'api', 'dockerfile'],
  server: ['base', 'api', 'dockerfile', 'engine'],
  backend: ['base', 'api', 'model', 'plan', 'report', 'client', 'reconcile', 'engine', 'server'],
  watch: ['base', 'api', 'model', 'plan', 'report', 'client', 'reconcile', 'backend'],
  tui: ['base', 'report', 'api'],
  cli: [
    ...['base', 'dockerfile', 'api', 'model', 'plan', 'report', 'client', 'reconcile'],
    ...['engine', 'server', 'backend', 'watch', 'tui'],
  ],
};

/** Modules of Node that a layer must not touch: the pure layers have no files, no network, no processes. */
const forbiddenModules: Readonly<Record<string, readonly string[]>> = {
  plan: ['node:fs', 'node:fs/promises', 'node:net', 'node:http', 'node:child_process', 'node:timers', 'node:os'],
  model: ['node:fs', 'node:fs/promises', 'node:net', 'node:http', 'node:child_process'],
  report: ['node:fs', 'node:fs/promises', 'node:net', 'node:http', 'node:child_process'],
};

const sourceRoot = resolve(import.meta.dirname, '../src');

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, {withFileTypes: true}).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return entry.name === 'generated' ? [] : sourceFiles(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function moduleFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => join(directory, name));
}

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].flatMap((match) => match[1] ?? []);
}

const files = sourceFiles(sourceRoot);

test('every source file is in a layer of the table, and enough were seen', () => {
  expect(files.length).toBeGreaterThan(60);
  const layers = new Set(files.map((file) => relative(sourceRoot, file).split('/')[0]));
  expect([...layers].filter((layer) => layer === undefined || !(layer in allowed))).toEqual([]);
});

test('no import crosses a layer the wrong way', () => {
  const violations: string[] = [];
  let imports = 0;
  for (const file of files) {
    const layer = relative(sourceRoot, file).split('/')[0] ?? '';
    for (const specifier of importsOf(readFileSync(file, 'utf8'))) {
      imports += 1;
      if (specifier.startsWith('.')) {
        const target = relative(sourceRoot, resolve(dirname(file), specifier)).split('/')[0] ?? '';
        if (target !== layer && !allowed[layer]?.includes(target))
          violations.push(`${relative(sourceRoot, file)} imports ${specifier}`);
      } else if (forbiddenModules[layer]?.includes(specifier)) {
        violations.push(`${relative(sourceRoot, file)} imports ${specifier}`);
      }
    }
  }
  expect(imports).toBeGreaterThan(200);
  expect(violations).toEqual([]);
});

test('a file says less than 400 lines', () => {
  const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 401);
  expect(long.map((file) => relative(sourceRoot, file))).toEqual([]);
});

test('what is exported is used by another file', () => {
  const users = [...files, ...sourceFiles(import.meta.dirname), ...moduleFiles(resolve(sourceRoot, '../scripts'))];
  const filesOf = new Map<string, number>();
  for (const file of users) {
    for (const word of new Set(readFileSync(file, 'utf8').match(/[A-Za-z_]\w*/g))) {
      filesOf.set(word, (filesOf.get(word) ?? 0) + 1);
    }
  }
  const exported = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm)].map(
      ([, name = '']) => ({name, file: relative(sourceRoot, file)}),
    ),
  );
  expect(exported.length).toBeGreaterThan(500);
  expect(exported.filter(({name}) => filesOf.get(name) === 1)).toEqual([]);
});
