import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {parse as parseYaml, stringify} from 'yaml';
import {TscomposeError} from '../../../src/base/errors.ts';
import {createProblems} from '../../../src/model/problems.ts';
import {positionOf} from '../../../src/model/source.ts';
import {parseStackFile} from '../../../src/model/stages/parse.ts';
import {member, toPlain} from '../../../src/model/tree.ts';

function parse(text: string): ReturnType<typeof parseStackFile> {
  const problems = createProblems();
  const trees = parseStackFile({path: '/x.yaml', shown: 'x.yaml', text}, problems);
  problems.throwIfAny();
  return trees;
}

function plain(text: string): unknown {
  return parse(text).map(toPlain);
}

function problem(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof TscomposeError)) throw error;
    return error.diagnostics
      .map(({line, column, message, hint}) => `${line}:${column} ${message}${hint === undefined ? '' : ` (${hint})`}`)
      .join('\n');
  }
  return 'parsed';
}

describe('parseStackFile', () => {
  it.each([
    ['a: 1\nb: [x, "2", true, null, ~]', [{a: 1, b: ['x', '2', true, null, null]}]],
    ['a: yes\nb: 0700\nc: 1.50\nd: "1"\ne: \'x\'', [{a: 'yes', b: 448, c: 1.5, d: '1', e: 'x'}]],
    ['a: |\n  one\n  two\nb: >-\n  one\n  two\n', [{a: 'one\ntwo\n', b: 'one two'}]],
    ['a:\nb:\n  - c:\n', [{a: null, b: [{c: null}]}]],
    ['a: 1\n---\nb: 2\n---\n', [{a: 1}, {b: 2}]],
    ['# nothing\n', []],
    ['', []],
    ['a: !!str 1\nb: !!int "2"\nc: !!float 3', [{a: '1', b: 2, c: 3}]],
    ['1: a\ntrue: b\n"": c', [{1: 'a', true: 'b', '': 'c'}]],
    ['a: &x {b: 1}\nc: *x\nd: [*x]', [{a: {b: 1}, c: {b: 1}, d: [{b: 1}]}]],
    ['a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3', [{a: {b: 1, c: 2}, d: {b: 1, c: 3}}]],
    ['a: &x {b: 1}\nb: &y {b: 2, c: 3}\nd: {<<: [*x, *y]}', [{a: {b: 1}, b: {b: 2, c: 3}, d: {b: 1, c: 3}}]],
    ['a: &x {b: 1}\nc: {b: 9, <<: *x}', [{a: {b: 1}, c: {b: 9}}]],
    ['"<<": 1', [{'<<': 1}]],
    ['a: &x 1\nb: &x 2\nc: *x', [{a: 1, b: 2, c: 2}]],
    ['__proto__: {a: 1}', [JSON.parse('{"__proto__": {"a": 1}}')]],
  ])('%j', (text, expected) => {
    expect(plain(text)).toEqual(expected);
  });

  it.each([
    ['a: 1\na: 2', '2:1 "a" is given twice (keep one of the two)'],
    [
      'a: *none',
      '1:4 *none: no anchor &none is defined above it in this file (define it above: NAME: &none VALUE; anchors of other files do not count)',
    ],
    ['a: {<<: 1}', '1:9 "<<" merges mappings only (give it the anchor of a mapping: <<: *NAME)'],
    ['a: !what 1', '1:4 unknown YAML tag "!what" (remove it: the tags of a stack file are !reset and !override)'],
    ['[a, b]: 1', '1:1 a key must be text (put it into quotes)'],
    ['a:\n\tb: 1', '2:1 a tab indents this line, and YAML allows only spaces (replace the tab with spaces)'],
    ['a: "x', '1:4 not valid YAML: a string that begins with " has no closing " (add a closing " at the end)'],
    [
      'a: b: c',
      '1:4 not valid YAML: this line has a second colon with a space after it (put the value into quotes, or begin a new line after the first colon)',
    ],
    [
      'a: @x',
      '1:4 not valid YAML: a string without quotes cannot start with reserved character @ (put the text into quotes)',
    ],
  ])('refuses %j', (text, message) => {
    expect(problem(text).split('\n')[0]).toBe(message);
  });

  it('refuses aliases that unfold without end', () => {
    const levels = Array.from(
      {length: 12},
      (_, level) => `a${level + 1}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(', ')}]`,
    );
    const begin = process.cpuUsage();
    expect(problem(`a0: &a0 [x, x]\n${levels.join('\n')}`)).toMatch(
      /aliases unfold this file to more than 200000 values \(refer to smaller parts, or to fewer\)$/,
    );
    // What it costs, not how long it takes: others may keep the machine busy meanwhile.
    const {user, system} = process.cpuUsage(begin);
    expect((user + system) / 1000).toBeLessThan(2000);
  });

  it('keeps directives', () => {
    const [tree] = parse('a: !reset null\nb: !override [1]\nc: !reset\n');
    expect(
      ['a', 'b', 'c'].map((name) => (tree?.kind === 'mapping' ? tree.entries.get(name)?.value.directive : undefined)),
    ).toEqual(['reset', 'override', 'reset']);
  });

  it('keeps the place of every key and value', () => {
    const [tree] = parse('# c\na:\n  bb: [x, "yy"]\n');
    const inner = member(tree, 'a');
    const entry = inner?.kind === 'mapping' ? inner.entries.get('bb') : undefined;
    const items = entry?.value.kind === 'sequence' ? entry.value.items : [];
    const places = [entry?.key, ...items.map(({at}) => at)].map(
      (at) => at && `${positionOf(at).line}:${positionOf(at).column}`,
    );
    expect(places).toEqual(['3:3', '3:8', '3:11']);
  });

  it('reads what a YAML library writes', () => {
    const key = fc.string({minLength: 1, maxLength: 6}).filter((text) => text !== '<<' && text !== '__proto__');
    const {value} = fc.letrec((tie) => ({
      value: fc.oneof(
        {maxDepth: 3},
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), {maxLength: 3}),
        fc.dictionary(key, tie('value'), {maxKeys: 3}),
      ),
    }));
    fc.assert(
      fc.property(value, (json) => {
        const text = stringify(
          {json},
          {version: '1.2', schema: 'core', defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE'},
        );
        expect(plain(text)).toEqual([parseYaml(text)]);
      }),
    );
  });
});
