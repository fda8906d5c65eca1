import {afterEach, expect, test, vi} from 'vitest';
import {holdErrorOutput} from '../../../src/cli/ui/error-output.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('what is written to standard error is held back until the screen is gone, warnings of Node too', async () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation(((text: string) => {
    written.push(text);
    return true;
  }) as typeof process.stderr.write);
  const listeners = process.listeners('warning');
  const held = holdErrorOutput();
  await new Promise<void>((resolve) => process.stderr.write('one\n', () => resolve()));
  process.stderr.write(Buffer.from('two\n'));
  const warned = new Promise((resolve) => process.once('warning', resolve));
  process.emitWarning('three', 'SomeWarning');
  await warned;
  expect(written).toEqual([]);
  held[Symbol.dispose]();
  expect(written).toEqual(['one\ntwo\nSomeWarning: three\n']);
  process.stderr.write('four\n');
  expect(written.at(-1)).toBe('four\n');
  expect(process.listeners('warning')).toEqual(listeners);
});

test('where nothing was held nothing is written', () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  holdErrorOutput()[Symbol.dispose]();
  expect(write).not.toHaveBeenCalled();
});
