import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import type {Json} from '../../src/base/canonical-json.ts';
import {yamlText} from '../../src/model/yaml-text.ts';

describe('yamlText', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({
      unit: fc.constantFrom(' ', '\n', ':', '#', '-', 'a', '"', "'", '\\', '\t', '1', '.', 'e', '?', '|', '>'),
    }),
    fc.constantFrom(
      'yes',
      'null',
      '~',
      '1e3',
      '0x1',
      '1:30',
      '2020-01-01',
      '<<',
      '---',
      '=',
      '',
      ' ',
      '\n',
      '\n\n',
      ' \n',
    ),
  );
  const {value} = fc.letrec<{value: Json}>((tie) => ({
    value: fc.oneof(
      {maxDepth: 4},
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), {maxLength: 4}),
      fc.dictionary(
        text.filter((key) => key !== '__proto__' && !key.includes('\n')),
        tie('value'),
        {maxKeys: 4},
      ),
    ),
  }));

  it('reads back as the value', () => {
    fc.assert(
      fc.property(value, (json) => {
        expect(parse(yamlText({json}), {schema: 'core', version: '1.2', merge: false})).toEqual({json});
      }),
      {numRuns: 500},
    );
  });

  it('quotes texts that older readers take for something else', () => {
    expect(yamlText(['yes', 'n', '1:30', '2020-01-01', 'plain text', ''])).toBe(
      '- "yes"\n- "n"\n- "1:30"\n- "2020-01-01"\n- plain text\n- ""\n',
    );
  });

  it('writes texts of several lines as they are', () => {
    expect(yamlText({a: 'one\ntwo\n', b: 'one\n two', c: ' x\ny', d: 'end \nx'})).toBe(
      'a: |\n  one\n  two\nb: |-\n  one\n   two\nc: |2-\n   x\n  y\nd: "end \\nx"\n',
    );
  });
});
