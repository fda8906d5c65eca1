import fc from 'fast-check';
import {type ConfigCase, readConfigCases} from './config-cases.mjs';

/** What is put where something else stood: texts that mean something to YAML, to templates or to environment files. */
const pieces: readonly string[] = [
  'null',
  '{}',
  '[]',
  '[x]',
  '{a: b}',
  '-1',
  '0',
  'true',
  '""',
  '"${A"',
  '${A:-',
  '${A?}',
  '$',
  '!reset null',
  '!override []',
  '!!str ',
  '*x',
  '&x',
  '*common',
  ':',
  ': ',
  '- ',
  '? ',
  '---\n',
  '\n',
  '\t',
  '  ',
  "'",
  '"',
  'é',
  '\u{1f600}',
  '::',
  '=',
  'export ',
  '1e400',
  '99999999999999999999',
  '.nan',
  '<<: ',
  '#',
  '%',
  '@',
  '|',
  '>-',
  '\\',
  '../../..',
  '~',
  '/',
  'https://example.test/x.git#a',
  'x-',
  '__proto__',
  'constructor',
];

const cases = readConfigCases();
const texts = cases.flatMap(({files}) => Object.values(files)).filter((text) => text.length > 10);

/** A place in a text, as a part of its length. */
const part = fc.double({min: 0, max: 1, noNaN: true, maxExcluded: true});

type Mutation = (text: string) => string;

/** Lines, words and characters that go, come twice, change places, or become something else. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({where: part, piece: fc.constantFrom(...pieces), cut: fc.nat({max: 12})}).map(
    ({where, piece, cut}): Mutation =>
      (text) => {
        const at = Math.floor(where * (text.length + 1));
        return text.slice(0, at) + piece + text.slice(at + cut);
      },
  ),
  fc
    .record({where: part, piece: fc.constantFrom(...pieces)})
    .map(({where, piece}) => changed(/(?<=[:,[] )[^\s,{}[\]]+/g, where, () => piece)),
  fc.record({where: part, other: part}).map(({where, other}): Mutation => {
    const word = /[a-z_]{2,}/g;
    const donor = texts[Math.floor(other * texts.length)] ?? '';
    const words = donor.match(word) ?? ['x'];
    return changed(word, where, () => words[Math.floor(other * words.length)] ?? 'x');
  }),
  fc.record({where: part, to: part}).map(({where, to}): Mutation => {
    return (text) => {
      const lines = text.split('\n');
      const [line = ''] = lines.splice(Math.floor(where * lines.length), 1);
      lines.splice(Math.floor(to * (lines.length + 1)), 0, line);
      return lines.join('\n');
    };
  }),
  part.map((where) => changed(/^.*\n?/gm, where, () => '')),
  part.map((where) => changed(/^.*\n/gm, where, (line) => line + line)),
  fc
    .record({where: part, by: fc.integer({min: 1, max: 3})})
    .map(({where, by}) => changed(/^ */gm, where, (indent) => indent + ' '.repeat(by))),
  part.map((where) => changed(/^ +/gm, where, (indent) => indent.slice(1))),
  part.map(
    (where): Mutation =>
      (text) =>
        text.slice(0, Math.floor(where * text.length)),
  ),
  fc.record({where: part, other: part, from: part}).map(({where, other, from}): Mutation => {
    const donor = texts[Math.floor(other * texts.length)] ?? '';
    return (text) => text.slice(0, Math.floor(where * text.length)) + donor.slice(Math.floor(from * donor.length));
  }),
);

/** One match of a pattern becomes something else; the pattern is global. */
function changed(pattern: RegExp, where: number, change: (match: string) => string): Mutation {
  return (text) => {
    const matches = [...text.matchAll(pattern)];
    const match = matches[Math.floor(where * matches.length)];
    if (match === undefined) return text;
    return text.slice(0, match.index) + change(match[0]) + text.slice(match.index + match[0].length);
  };
}

/** A case of the corpora of which one or more files were changed a little. */
export const mutatedCase: fc.Arbitrary<ConfigCase> = fc
  .record({
    stack: fc.constantFrom(...cases),
    changes: fc.array(fc.record({file: part, mutation}), {minLength: 1, maxLength: 4}),
  })
  .map(({stack, changes}) => {
    const files: Record<string, string> = {...stack.files};
    const named = Object.keys(files).filter((path) => !path.startsWith('files/') || stack.name.startsWith('files'));
    for (const {file, mutation: change} of changes) {
      const path = named[Math.floor(file * named.length)];
      if (path !== undefined) files[path] = change(files[path] ?? '');
    }
    return {...stack, files};
  });
