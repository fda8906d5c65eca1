import {expect, test} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
import type {FileSource} from '../../src/base/file-source.ts';
import {isStillTrue, recordSource} from '../../src/base/recorded-source.ts';

function sourceOf(files: Map<string, string>): FileSource {
  return {
    readBytes(path, most) {
      const text = files.get(path);
      if (text === undefined) throw new TscomposeError('notFound', path);
      return Buffer.from(text).subarray(0, most);
    },
    isFile: (path) => files.has(path),
    readStandardInput: () => Buffer.from('typed'),
  };
}

test('what was asked is remembered, and holds until an answer changes', async () => {
  const files = new Map([['/a', 'one two']]);
  const recorded = recordSource(sourceOf(files));
  expect(Buffer.from(await recorded.source.readBytes('/a', 3)).toString()).toBe('one');
  expect(await recorded.source.isFile('/b')).toBe(false);
  await expect(recorded.source.readBytes('/b')).rejects.toMatchObject({kind: 'notFound'});
  const observations = recorded.observations() ?? [];
  expect(observations.map(({path, most}) => [path, most])).toEqual([
    ['/a', 3],
    ['/b', undefined],
    ['/b', null],
  ]);
  const stillTrue = () => Promise.all(observations.map((observation) => isStillTrue(observation, sourceOf(files))));
  expect(await stillTrue()).toEqual([true, true, true]);
  // Only the beginning was read.
  files.set('/a', 'one three');
  expect(await stillTrue()).toEqual([true, true, true]);
  files.set('/a', 'two').set('/b', '');
  expect(await stillTrue()).toEqual([false, false, false]);
});

test('standard input cannot be asked again, and a file that changes meanwhile was two files', async () => {
  const typed = recordSource(sourceOf(new Map()));
  await typed.source.readStandardInput();
  expect(typed.observations()).toBeUndefined();
  const files = new Map([['/a', '1']]);
  const changing = recordSource(sourceOf(files));
  await changing.source.readBytes('/a');
  files.set('/a', '2');
  await changing.source.readBytes('/a');
  expect(changing.observations()).toBeUndefined();
});
