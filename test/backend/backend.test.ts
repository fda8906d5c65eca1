import {expect, it} from 'vitest';
import {openBackend} from '../../src/backend/backend.ts';
import {fakeEngine} from '../server/fake-engine.ts';

const version = '1.2.3';

it('is the built-in engine unless a host is given', async () => {
  for (const host of [undefined, '']) {
    let closed = 0;
    const engine = {
      ...fakeEngine({containers: {list: async () => []}}),
      close: async () => {
        closed++;
      },
    };
    const backend = await openBackend({host, version, openEngine: async () => engine});
    expect(backend.kind).toBe('builtin');
    expect(await backend.docker.listContainers()).toEqual([]);
    expect([...(await backend.docker.features())]).toEqual(['files', 'sync', 'platforms', 'locks']);
    await backend.close();
    expect(closed).toBe(1);
  }
});

it('is another engine where a host is given', async () => {
  const openEngine = async () => {
    throw new Error('the built-in engine must not be opened');
  };
  const backend = await openBackend({host: 'unix:///nonexistent/engine.sock', version, openEngine});
  expect(backend.kind).toBe('remote');
  await expect(backend.docker.ping()).rejects.toMatchObject({kind: 'unavailable'});
  await backend.close();
  await expect(openBackend({host: 'ssh://host', version, openEngine})).rejects.toMatchObject({kind: 'unsupported'});
});
