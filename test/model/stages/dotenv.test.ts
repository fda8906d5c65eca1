import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import {createProblems} from '../../../src/model/problems.ts';
import {positionOf, type SourceFile} from '../../../src/model/source.ts';
import {parseEnvironmentFile, parseRawEnvironmentFile} from '../../../src/model/stages/dotenv.ts';

const outside: Readonly<Record<string, string>> = {OS: 'outside', A: 'outer'};

function parse(text: string, parser = parseEnvironmentFile): Record<string, string> | string {
  const problems = createProblems();
  const source: SourceFile = {path: '/x.env', shown: 'x.env', text};
  const entries = parser(source, {lookup: (name) => outside[name], problems});
  try {
    problems.throwIfAny();
  } catch (error) {
    if (!(error instanceof TscomposeError)) throw error;
    const [first] = error.diagnostics;
    return `${first?.line}:${first?.column} ${first?.message}`;
  }
  return Object.fromEntries([...entries].map(([name, {value}]) => [name, value]));
}

describe('parseEnvironmentFile', () => {
  it.each([
    ['A=1\nB=2', {A: '1', B: '2'}],
    ['# c\n\n  A=1 # trailing\nB=a#b\nC=#z\n', {A: '1', B: 'a#b', C: '#z'}],
    ['export A=1\nexport\tB=2', {A: '1', B: '2'}],
    ['A: yaml\nB:1', {A: 'yaml', B: '1'}],
    ['A=\nB= \nC=x', {A: '', B: '', C: 'x'}],
    ['A=   spaced   \nB=\tx', {A: 'spaced', B: 'x'}],
    ['K = "x" # c\nL="abc"def', {K: 'x', L: 'abc'} as Record<string, string>],
    ['A="l1\nl2"\nB=\'m1\nm2\'', {A: 'l1\nl2', B: 'm1\nm2'}],
    ['A="\\n\\t\\\\\\"\\q \\0101"', {A: '\n\t\\"\\q A'}],
    ["A='$X \\n \\' y'", {A: "$X \\n ' y"}],
    ['B=1\nC=$B ${B}x\nD="$B"\nE=\'$B\'', {B: '1', C: '1 1x', D: '1', E: '$B'}],
    ['A=inner\nB=$A', {A: 'inner', B: 'outer'}],
    ['B=${NONE:-dflt} ${OS:+alt}', {B: 'dflt alt'}],
    ['B=\\$OS\nC="\\$OS"\nD=$$OS', {B: '\\outside', C: '$OS', D: '$OS'}],
    ['OS\nNONE\nB=1\nOS', {OS: 'outside', B: '1'}],
    ['a.b-c[0]=x\nÄ=1', {'a.b-c[0]': 'x', Ä: '1'}],
    ['A=1 B=2', {A: '1 B=2'}],
    ['A="a" B=2', {A: 'a', B: '2'}],
    ['\ufeffA=1\r\nB=2\r\n', {A: '1', B: '2'}],
    ['A=it\'s\nB=x"y"', {A: "it's", B: 'x"y"'}],
    ['A=a\\', {A: 'a\\'}],
    ['', {}],
    ['\n\n#only', {}],
  ])('%j', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ['GOOD=1\nB AD=2', '2:1 the name of a variable cannot contain a space: "B AD"'],
    ['$A=1', '1:1 unexpected character "$" in the name of a variable'],
    ['X=1\nA%=1', '2:2 unexpected character "%" in the name of a variable'],
    ['A="open\nB=2', '1:3 a quoted value has no closing quote'],
    ['A=${X?needed}', '1:3 required variable X is missing a value: needed'],
    ['A=${X', '1:3 "${" has no closing "}"'],
  ])('refuses %j', (text, message) => {
    expect(parse(text)).toBe(message);
  });

  it('keeps places', () => {
    const source: SourceFile = {path: '/x.env', shown: 'x.env', text: '# c\nA=1\n  export B="two\nlines"\nC=3'};
    const entries = parseEnvironmentFile(source, {lookup: () => undefined, problems: createProblems()});
    expect([...entries].map(([name, {at}]) => `${name} ${positionOf(at).line}:${positionOf(at).column}`)).toEqual([
      'A 2:1',
      'B 3:10',
      'C 5:1',
    ]);
  });

  it('warns once of a variable that is not set', () => {
    const problems = createProblems();
    const source: SourceFile = {path: '/x.env', shown: 'x.env', text: 'A=$NONE\nB=$NONE'};
    parseEnvironmentFile(source, {lookup: () => undefined, problems});
    expect(problems.warnings.map(({message}) => message)).toEqual([
      'the variable NONE is not set: it becomes an empty string',
    ]);
  });

  it('gives back any text in single quotes', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/[\\'\r]/.test(text)),
        (text) => {
          expect(parse(`A='${text}'\nB=1`)).toEqual({A: text, B: '1'});
        },
      ),
    );
  });

  it('always ends', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('A', '=', '\n', '"', "'", '#', ' ', '\\', '$', '{', '}', ':', '\r', 'export '),
        }),
        (text) => {
          expect(['object', 'string']).toContain(typeof parse(text));
        },
      ),
    );
  });
});

describe('parseRawEnvironmentFile', () => {
  it.each([
    ['A="q" # x\nB=$A\n  C= y ', {A: '"q" # x', B: '$A', C: ' y '}],
    ['# c\n\nOS\nNONE', {OS: 'outside'}],
    ['A=b=c', {A: 'b=c'}],
  ])('%j', (text, expected) => {
    expect(parse(text, parseRawEnvironmentFile)).toEqual(expected);
  });

  it.each([
    ['X=1\nA B=1', '2:1 the name of a variable cannot contain a space: "A B"'],
    ['=1', '1:1 a line has no name of a variable'],
  ])('refuses %j', (text, message) => {
    expect(parse(text, parseRawEnvironmentFile)).toBe(message);
  });
});
