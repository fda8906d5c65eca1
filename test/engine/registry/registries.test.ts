import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {toTscomposeError} from '../../../src/base/errors.ts';
import type {Connection} from '../../../src/engine/registry/connection.ts';
import {createRegistries, firstThatAnswers} from '../../../src/engine/registry/registries.ts';
import {errorOfResponse} from '../../../src/engine/registry/status.ts';

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
    authorityFiles: [],
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

describe('of several places', () => {
  const places = [{name: 'mirror'}, {name: 'registry'}] as unknown as Connection[];
  const ask = (error: unknown) => {
    const asked: Connection[] = [];
    const answer = firstThatAnswers(places, async (place) => {
      asked.push(place);
      if (place === places[0]) throw error;
      return 'content';
    });
    return {asked, answer};
  };

  it('one that refuses further requests is passed by', async () => {
    const refused = await errorOfResponse(
      {
        ...{status: 429, headers: {}, url: new URL('https://mirror.example'), all: () => [], discard: () => {}},
        body: (async function* () {})(),
      },
      {what: 'manifest a:1', registry: 'mirror.example'},
    );
    expect(refused.kind).toBe('exhausted');
    expect(await ask(refused).answer).toEqual({connection: places[1], value: 'content'});
  });

  it('none is asked further when this machine has no room', async () => {
    const full = toTscomposeError(Object.assign(new Error('full'), {code: 'ENOSPC'}));
    const {asked, answer} = ask(full);
    await expect(answer).rejects.toBe(full);
    expect(asked).toEqual([places[0]]);
  });
});
