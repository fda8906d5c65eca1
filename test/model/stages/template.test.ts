import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type Substitution, substitute} from '../../../src/model/stages/template.ts';

const values: Readonly<Record<string, string>> = {A: 'one', B: 'two', EMPTY: '', a_1: 'low'};

function run(text: string): {readonly result: Substitution; readonly missing: readonly string[]} {
  const missing: string[] = [];
  const result = substitute(text, {
    lookup: (name) => values[name],
    missing: (name, offset) => missing.push(`${name}@${offset}`),
  });
  return {result, missing};
}

describe('substitute', () => {
  it.each([
    ['$A', 'one'],
    ['${A}', 'one'],
    ['x$A-${B}y', 'xone-twoy'],
    ['$a_1', 'low'],
    ['$$A', '$A'],
    ['$$$A', '$one'],
    ['$1 $ $% a$ $-', '$1 $ $% a$ $-'],
    ['${A-x}', 'one'],
    ['${U-x}', 'x'],
    ['${EMPTY-x}', ''],
    ['${EMPTY:-x}', 'x'],
    ['${U:-}', ''],
    ['${A+x}', 'x'],
    ['${U+x}', ''],
    ['${EMPTY+x}', 'x'],
    ['${EMPTY:+x}', ''],
    ['${A?x}', 'one'],
    ['${EMPTY?x}', ''],
    ['${U:-$A}', 'one'],
    ['${U:-${V:-${B}}}', 'two'],
    ['${U:-x${V-y}z}', 'xyz'],
    ['${U:-{x}}', '{x}'],
    ['${U:-a:?b}', 'a:?b'],
    ['${U:-$$}', '$'],
    ['${A:-${}}', 'one'],
    ['${A}}', 'one}'],
    ['${U:-\n}', '\n'],
  ])('%s', (text, expected) => {
    expect(run(text).result).toEqual({ok: true, text: expected});
  });

  const hints = {
    required: /^set it in \.env/,
    syntax: /^(?:add a closing }|rename the variable|write \$\{NAME\}|the operators are)/,
  };

  it.each([
    ['${U?}', 'required', 'required variable U is missing a value', 0],
    ['a ${U?set $A}', 'required', 'required variable U is missing a value: set one', 2],
    ['${EMPTY:?empty}', 'required', 'required variable EMPTY is missing a value: empty', 0],
    ['${U:-${V:?deep}}', 'required', 'required variable V is missing a value: deep', 5],
    ['${', 'syntax', '"${" has no closing "}"', 0],
    ['x${A', 'syntax', '"${" has no closing "}"', 1],
    ['${}', 'syntax', '"${}" names no variable', 0],
    ['${1}', 'syntax', '"1" is not the name of a variable: a name begins with a letter or "_"', 0],
    ['${A B}', 'syntax', '"${A B}": " B" is not an operator', 3],
    ['${A:=x}', 'syntax', '"${A:=x}": ":=x" is not an operator', 3],
    ['${A.b}', 'syntax', '"${A.b}": ".b" is not an operator', 3],
  ] as const)('refuses %s', (text, reason, message, offset) => {
    expect(run(text).result).toEqual({ok: false, reason, message, offset, hint: expect.stringMatching(hints[reason])});
  });

  it('tells of a variable that is not set, unless there is a default', () => {
    expect(run('$U ${V} ${W-} ${X:+y} ${A:-$NEVER}')).toEqual({
      result: {ok: true, text: '    one'},
      missing: ['U@0', 'V@3'],
    });
  });

  it('looks at a default only when it is used', () => {
    expect(run('${A:-${U:?no}}').result).toEqual({ok: true, text: 'one'});
  });

  it('leaves a text without dollar signs alone, and gives any text back whose dollar signs are doubled', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(run(text.replaceAll('$', '$$$$')).result).toEqual({ok: true, text});
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({unit: fc.constantFrom('$', '{', '}', 'A', 'U', ':', '-', '+', '?', ' ')}), (text) => {
        expect(typeof run(text).result.ok).toBe('boolean');
      }),
    );
  });
});
