import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {type Diagnostic, renderDiagnostic} from '../../src/base/diagnostic.ts';
import {checkDockerfile} from '../../src/dockerfile/check.ts';
import {cases} from './cases.mjs';
import {errorTable} from './error-table.ts';

function problemsOf(text: string): readonly Diagnostic[] {
  return checkDockerfile({text, shown: 'path/Dockerfile'}, {buildArguments: {}});
}

describe('every problem is told with its place', () => {
  test.each(errorTable.map(([text, ...told]) => [text.slice(0, 60), text, told] as const))('%j', (_, text, told) => {
    expect(problemsOf(text).map(({line, column, length, message}) => `${line}:${column}+${length} ${message}`)).toEqual(
      told,
    );
  });

  test('the line that it is about is shown, with marks below', () => {
    const texts = [...errorTable.map(([text]) => text), ...cases];
    let seen = 0;
    for (const text of texts) {
      const lines = text.split('\n');
      for (const problem of problemsOf(text)) {
        const {line = 0, column = 0, excerpt = '?', message} = problem;
        expect({text, message, excerpt}).toEqual({text, message, excerpt: lines[line - 1]?.replace(/\r$/, '')});
        expect(column).toBeGreaterThan(0);
        expect(column).toBeLessThanOrEqual(excerpt.length + 1);
        const shown = renderDiagnostic(problem).split('\n');
        expect(shown[0]).toBe(`${problem.severity}[${problem.code}]: ${message}`);
        expect(shown[1]?.trim()).toBe(`--> path/Dockerfile:${line}:${column}`);
        expect(shown.at(-1)).toContain('^');
        seen += 1;
      }
    }
    expect(seen).toBeGreaterThan(200);
  });
});

const literal = /'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/.source;

/** Where a text for a problem stands in the sources: the first group has it, or several. */
const places = [
  new RegExp(`(?:fail|warn|error|warning)\\((?:[^;]*?,\\s*)??'[A-Za-z]+(?:-[a-z]+)*',\\s*(${literal})`, 'g'),
  new RegExp(`new ExpansionError\\(\\s*(${literal})`, 'g'),
  new RegExp(`message: (?:key === '\\w+' \\? )?(${literal})(?: : (${literal}))?`, 'g'),
  /const message =([^;]*);/g,
];

const neverTold = [
  // It is always told as a brace that is missing, with the place where the variable begins.
  '`"${stop}" is missing`',
  // These take arguments of the build, and an ignore file.
  '`FROM: without arguments of the build "${value.text}" is no name of an image`',
  '`${instruction.keyword}: the ignore file of the context leaves "${source.text}" out`',
];

function textsOf(source: string): readonly string[] {
  const found = places.flatMap((place) => [...source.matchAll(place)].flatMap((match) => match.slice(1)));
  return found.flatMap((text) => text?.match(new RegExp(literal, 'g')) ?? []).filter((text) => /[a-z]{2} /.test(text));
}

/** Whatever is put into a text may be anything. */
function patternOf(text: string): RegExp {
  const parts = text.slice(1, -1).split(/\$\{(?:[^{}]|\{[^{}]*\})*(?:\}|$)/);
  return new RegExp(parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('[^]*'));
}

test('the table has every text that the language has for a problem', () => {
  const directory = join(import.meta.dirname, '../../src/dockerfile');
  const files = readdirSync(directory, {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.ts'));
  const texts = files.flatMap((name) => textsOf(readFileSync(join(directory, name), 'utf8')));
  expect(texts.length).toBeGreaterThan(75);
  const told = errorTable.flatMap((row) => row.slice(1));
  const missing = texts.filter((text) => !neverTold.includes(text) && !told.some((line) => patternOf(text).test(line)));
  expect(missing).toEqual([]);
});
