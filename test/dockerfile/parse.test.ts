import fc from 'fast-check';
import {describe, expect, it, test} from 'vitest';
import {checkDockerfile} from '../../src/dockerfile/check.ts';
import {expand} from '../../src/dockerfile/expand.ts';
import {parseDockerfile} from '../../src/dockerfile/parse.ts';
import {cases} from './cases.mjs';

function read(text: string): ReturnType<typeof parseDockerfile> {
  return parseDockerfile({text, shown: 'Dockerfile'});
}

describe('variables', () => {
  const variables = (name: string): string | undefined => (name === 'A' ? 'abc' : undefined);
  it.each([
    ['$A${A}', 'abcabc'],
    ['${A:-x}${B:-y}${B-z}', 'abcyz'],
    ['${A:+x}${B:+y}', 'x'],
    ['${A#a}-${A##*b}-${A%c}-${A%%b*}', 'bc-c-ab-a'],
    ['${A/b/X}${A//[a-c]/_}', 'aXcabc'],
    ['\'$A\' "$A" \\$A', '$A abc $A'],
    ['"\\n \\"q\\""', '\\n "q"'],
    ['a\\ b${B:-"x y"}', 'a bx y'],
    ['${B:-a\\}b}', 'a}b'],
    ['$', '$'],
  ])('%s', (text, expected) => {
    expect(expand(text, {escapeToken: '\\', variables}).text).toBe(expected);
  });

  it('split into words at blanks that no quotes hold together', () => {
    const {words, unset} = expand('a "b c" $A$B', {escapeToken: '\\', variables});
    expect({words, unset}).toEqual({words: ['a', 'b c', 'abc'], unset: ['B']});
  });
});

test('here-documents keep their bodies, and say what is in them', () => {
  const {instructions} = read(
    "FROM a\nRUN <<-ONE cat <<'TWO' 3<<THREE\n\ta $X\n\tONE\nb $X\nTWO\nc\nTHREE\nCOPY << F /x\nd\nF\n",
  );
  const bodies = instructions.flatMap(({line}) => line.heredocs);
  expect(
    bodies.map(({name, content, expand: variables, descriptor, line}) => [name, content, variables, descriptor, line]),
  ).toEqual([
    ['ONE', 'a $X\n', true, 0, 3],
    ['TWO', 'b $X\n', false, 0, 5],
    ['THREE', 'c\n', true, 3, 7],
    ['F', 'd\n', true, 0, 10],
  ]);
});

test('whatever a file says, reading it ends, and every problem has its place', () => {
  const pieces = fc.array(fc.constantFrom(...cases.flatMap((text) => text.split(/(\s)/)), '<<', '\\', '"', "'", '${'));
  fc.assert(
    fc.property(
      fc.oneof(
        pieces.map((words) => words.join('')),
        fc.string(),
      ),
      (text) => {
        const lines = text.split('\n').length;
        for (const {line = 0, column = 0, length = 0} of checkDockerfile(
          {text, shown: 'Dockerfile'},
          {buildArguments: {}},
        )) {
          expect(line).toBeGreaterThan(0);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThan(0);
          expect(length).toBeGreaterThan(0);
        }
      },
    ),
    {numRuns: 300},
  );
});
