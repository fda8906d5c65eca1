import fc from 'fast-check';
import {expect, test} from 'vitest';
import {parseDetachKeys, watchKeys} from '../../src/api/detach-keys.ts';

test.each([
  ['ctrl-p,ctrl-q', [16, 17]],
  ['ctrl-a,a', [1, 97]],
  ['ctrl-@,ctrl-[,ctrl-_', [0, 27, 31]],
  ['q', [113]],
])('%s', (text, bytes) => {
  expect([...parseDetachKeys(text)]).toEqual(bytes);
});

test.each(['ctrl-', 'ctrl-P', 'ctrl-1', 'ab', '', 'a,', 'ü'])('"%s" is no key', (text) => {
  expect(() => parseDetachKeys(text)).toThrow(expect.objectContaining({kind: 'invalid'}));
});

/** What is passed on of the pieces, and whether the keys were found. */
function typed(keys: string, pieces: readonly string[]): readonly [string, boolean] {
  const watch = watchKeys(parseDetachKeys(keys));
  let text = '';
  for (const piece of pieces) {
    const {data, found} = watch.pass(Buffer.from(piece));
    text += Buffer.from(data).toString();
    if (found) return [text, true];
  }
  return [text, false];
}

test.each<readonly [string, readonly string[], string, boolean]>([
  ['ctrl-p,ctrl-q', ['ls\r', '\x10\x11rest'], 'ls\r', true],
  ['ctrl-p,ctrl-q', ['a\x10', '\x11'], 'a', true],
  // The first key alone waits for what comes next, and is passed on with it.
  ['ctrl-p,ctrl-q', ['a\x10'], 'a', false],
  ['ctrl-p,ctrl-q', ['a\x10', 'b'], 'a\x10b', false],
  ['ctrl-p,ctrl-q', ['\x10\x10\x11'], '\x10', true],
  ['a,a,b', ['aa', 'ab'], 'a', true],
])('%s in %j', (keys, pieces, passed, found) => {
  expect(typed(keys, pieces)).toEqual([passed, found]);
});

test('in any pieces, the text up to the keys is passed on whole', () => {
  const letters = fc.string({unit: fc.constantFrom('a', 'b', 'c'), maxLength: 20});
  fc.assert(
    fc.property(fc.array(letters, {maxLength: 8}), fc.constantFrom('a,b', 'a,a,b', 'a,b,a,c', 'c'), (pieces, keys) => {
      const text = pieces.join('');
      const at = text.indexOf(keys.replaceAll(',', ''));
      const [passed, found] = typed(keys, pieces);
      expect(found).toBe(at !== -1);
      if (found) expect(passed).toBe(text.slice(0, at));
      // What is held back is a beginning of the keys.
      else {
        expect(text.startsWith(passed)).toBe(true);
        expect(keys.replaceAll(',', '').startsWith(text.slice(passed.length))).toBe(true);
      }
    }),
  );
});
