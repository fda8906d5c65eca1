import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {hasKind} from '../../src/base/errors.ts';
import {machineFiles} from '../../src/base/file-source.ts';

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tscompose-files-'));
  writeFileSync(join(directory, 'file'), 'text');
  mkdirSync(join(directory, 'sub'));
});

afterAll(() => rmSync(directory, {recursive: true, force: true}));

describe('machineFiles', () => {
  it('reads bytes', async () => {
    expect(Buffer.from(await machineFiles.readBytes(join(directory, 'file'))).toString()).toBe('text');
  });

  it.each([
    ['gone', 'notFound', 'no such file'],
    ['file/below', 'notFound', 'no such file'],
    ['sub', 'invalid', 'is a directory'],
  ] as const)('says what is wrong with %s', (name, kind, reason) => {
    const path = join(directory, name);
    try {
      machineFiles.readBytes(path);
      expect.unreachable();
    } catch (error) {
      expect(hasKind(error, kind) && error.message).toBe(`cannot read ${path}: ${reason}`);
    }
  });

  it('knows files from directories', async () => {
    const found = await Promise.all(
      ['file', 'sub', 'gone', 'file/below'].map((name) => machineFiles.isFile(join(directory, name))),
    );
    expect(found).toEqual([true, false, false, false]);
  });
});
