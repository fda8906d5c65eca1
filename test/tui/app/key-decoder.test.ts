import fc from 'fast-check';
import {expect, test} from 'vitest';
import {createKeyDecoder, type TerminalInput} from '../../../src/tui/app/key-decoder.ts';

function decode(...pieces: readonly string[]): readonly TerminalInput[] {
  const decoder = createKeyDecoder();
  return [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.flush()];
}

/** `ctrl+meta+up`, `é`, `paste "text"`, `focus`. */
function names(inputs: readonly TerminalInput[]): readonly string[] {
  return inputs.map((input) => {
    if (input.kind === 'focus') return input.focused ? 'focused' : 'unfocused';
    const {name, ctrl, meta, shift, text} = input.key;
    const held = `${ctrl ? 'ctrl+' : ''}${meta ? 'meta+' : ''}${shift ? 'shift+' : ''}`;
    return name === 'paste' ? `paste ${JSON.stringify(text)}` : `${held}${name}`;
  });
}

test.each([
  ['a', ['a']],
  ['A', ['shift+A']],
  ['é', ['é']],
  ['👩‍👩‍👧', ['👩‍👩‍👧']],
  [' ', ['space']],
  ['\r', ['enter']],
  ['\n', ['enter']],
  ['\t', ['tab']],
  ['\x7f', ['backspace']],
  ['\x08', ['backspace']],
  ['\x03', ['ctrl+c']],
  ['\x1a', ['ctrl+z']],
  ['\x00', ['ctrl+space']],
  ['\x1b', ['escape']],
  ['\x1b\x1b', ['escape', 'escape']],
  ['\x1bx', ['meta+x']],
  ['\x1b[A\x1b[B\x1b[C\x1b[D', ['up', 'down', 'right', 'left']],
  ['\x1bOA\x1bOH\x1bOF', ['up', 'home', 'end']],
  ['\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~', ['home', 'end', 'home', 'end', 'home', 'end']],
  ['\x1b[2~\x1b[3~\x1b[5~\x1b[6~', ['insert', 'delete', 'pageup', 'pagedown']],
  ['\x1b[Z', ['shift+tab']],
  ['\x1b[1;5A', ['ctrl+up']],
  ['\x1b[1;2D\x1b[3;3~', ['shift+left', 'meta+delete']],
  ['\x1bOP\x1b[15~\x1b[24~\x1b[[A', ['f1', 'f5', 'f12', 'f1']],
  ['\x1b[I\x1b[O', ['focused', 'unfocused']],
  ['\x1b[200~two\nlines\x1b[A\x1b[201~q', ['paste "two\\nlines\\u001b[A"', 'q']],
  ['\x1b[?1;2c', []],
  ['\x1b[99~', []],
  ['abc', ['a', 'b', 'c']],
] as const)('%j is %j', (text, expected) => {
  expect(names(decode(text))).toEqual(expected);
});

test('what may still go on is held, until nothing came', () => {
  const decoder = createKeyDecoder();
  expect([decoder.push('\x1b'), decoder.pending]).toEqual([[], true]);
  expect(names(decoder.push('[A'))).toEqual(['up']);
  expect(decoder.pending).toBe(false);
  expect(decoder.push('\x1b')).toEqual([]);
  expect(names(decoder.flush())).toEqual(['escape']);
  expect(names([...decoder.push('\x1b['), ...decoder.flush()])).toEqual(['meta+[']);
});

test('a paste that never ends does not hold the keyboard for ever', () => {
  const decoder = createKeyDecoder();
  const inputs = decoder.push(`\x1b[200~${'x'.repeat(70_000)}`);
  expect(inputs).toMatchObject([{key: {name: 'paste'}}]);
  expect(decoder.pending).toBe(false);
});

test('keys are the same however they are cut into pieces', () => {
  const whole = 'a\x1b[A\x1b[1;5Bé\x1b[200~p\x1b[201~\x1bOP\r';
  fc.assert(
    fc.property(fc.array(fc.integer({min: 1, max: 4})), (sizes) => {
      const pieces: string[] = [];
      let from = 0;
      for (const size of sizes) {
        pieces.push(whole.slice(from, from + size));
        from += size;
      }
      pieces.push(whole.slice(from));
      expect(names(decode(...pieces))).toEqual(names(decode(whole)));
    }),
  );
});
