import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

const fast = 'image: busybox, stop_grace_period: 0s';

test('services are paused and let go on, all of them or those that are named', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: rest
services:
  web: {${fast}, command: sleep 600, depends_on: [db]}
  db: {${fast}, command: sleep 600, scale: 2}
  over: {${fast}, command: 'true'}
`,
  );
  const run = (...args: readonly string[]) => host.tscompose(args);
  const paused = async () => (await run('ps', '--status', 'paused', '--format', '{{.Name}}')).stdout;
  expect(await run('up', '-d')).toMatchObject({code: 0});

  expect(await run('pause', 'db')).toMatchObject({code: 0, stdout: ''});
  expect(await paused()).toBe('rest-db-1\nrest-db-2\n');
  expect((await run('ps', 'db')).stdout).toMatch(/rest-db-1 .* Up .* \(Paused\)/);
  // Given again after it was interrupted, it does the rest.
  expect((await run('pause')).code).toBe(0);
  expect(await paused()).toBe('rest-db-1\nrest-db-2\nrest-web-1\n');
  expect(await run('exec', 'web', 'true')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is paused, unpause the container before exec'),
  });
  expect((await run('up', '-d')).stderr).toContain(
    'container "rest-web-1" is paused and stays so\nhint: let it go on: tscompose unpause web',
  );
  expect(await run('up', '-d', '--wait', 'db')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/container rest-db-\d is paused\nhint: let it go on: tscompose unpause db\n/),
  });
  expect((await run('unpause', 'web')).code).toBe(0);
  expect(await run('exec', 'web', 'echo', 'awake')).toMatchObject({code: 0, stdout: 'awake\n'});
  expect((await run('unpause')).code).toBe(0);
  expect(await paused()).toBe('');
  expect((await run('unpause')).code).toBe(0);
  expect(await run('pause', 'wbe')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no such service: "wbe"'),
  });

  expect((await run('pause')).code).toBe(0);
  expect((await run('restart', 'web')).code).toBe(0);
  expect(await paused()).toBe('rest-db-1\nrest-db-2\n');
  // Whatever is paused is taken down like the rest.
  expect((await run('down')).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
