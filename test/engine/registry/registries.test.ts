import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {createRegistries} from '../../../src/engine/registry/registries.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tscompose-registries-'));
});
afterEach(() => rmSync(directory, {recursive: true, force: true}));

it('a settings file that was wrong and is put right is read again', async () => {
  const path = join(directory, 'registries.json');
  const registries = createRegistries({
    settings: {paths: [path], isRequired: true},
    certificateDirectories: [],
    proxy: {},
    userAgent: 'test',
    now: () => 0,
  });
  writeFileSync(path, '{');
  await expect(registries.endpoints('registry.example', 'pull')).rejects.toMatchObject({kind: 'invalid'});
  writeFileSync(path, JSON.stringify({registries: {'registry.example': {mirrors: ['https://mirror.example']}}}));
  expect((await registries.endpoints('registry.example', 'pull')).map(({bases}) => bases)).toEqual([
    ['https://mirror.example'],
    ['https://registry.example'],
  ]);
  await registries.close();
});
