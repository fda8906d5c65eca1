import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {readRegularFile} from '../../src/base/regular-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'tscompose-regular-'));
const at = (name: string) => join(directory, name);
afterAll(() => rmSync(directory, {recursive: true}));

test('a file is read, also by a link', () => {
  writeFileSync(at('file'), 'text');
  symlinkSync('file', at('link'));
  expect(readRegularFile(at('link'), {most: 4}).toString()).toBe('text');
});

test('what is too large is not read', () => {
  writeFileSync(at('large'), '');
  truncateSync(at('large'), 1024 ** 4);
  expect(() => readRegularFile(at('large'), {shown: 'it', most: 5})).toThrow(
    'cannot read it: it has more than 5 bytes',
  );
});

test('nothing is waited for', async () => {
  execFileSync('mkfifo', [at('pipe')]);
  const server = createServer().listen(at('socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    for (const path of [at('pipe'), at('socket'), '/dev/zero'])
      expect(() => readRegularFile(path, {most: 5})).toThrow(`cannot read ${path}: it is not a regular file`);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  expect(() => readRegularFile(directory, {most: 5})).toThrow('it is a directory');
  expect(() => readRegularFile(at('none'), {most: 5})).toThrow('no such file');
  symlinkSync('round', at('round'));
  expect(() => readRegularFile(at('round'), {most: 5})).toThrow('too many links');
});
