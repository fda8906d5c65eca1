import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

test('what a container is now becomes an image, by its service or by its name', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    'name: kept\nservices: {web: {image: busybox, stop_grace_period: 0s, scale: 2, command: sleep 600}}\n',
  );
  const run = (...args: readonly string[]) => host.tscompose(args);
  expect(await run('up', '-d')).toMatchObject({code: 0});
  expect(await run('exec', '--index', '2', 'web', 'sh', '-c', 'echo here > /mark')).toMatchObject({code: 0});

  const words = ['-m', 'as it was', '-a', 'Ada', '-c', 'CMD ["cat","/mark"]', '--change', 'LABEL kind=kept'];
  const made = await run('commit', '--index', '2', ...words, 'web', 'localhost/kept:1');
  expect(made).toMatchObject({code: 0, stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/)});
  const [image] = JSON.parse((await run('engine', 'image', 'inspect', 'localhost/kept:1')).stdout);
  expect(image).toMatchObject({
    Id: made.stdout.trim(),
    Author: 'Ada',
    Comment: 'as it was',
    Config: {Cmd: ['cat', '/mark'], Labels: {kind: 'kept'}},
  });

  const other = await run('engine', 'commit', '--pause=false', 'kept-web-1');
  expect(other.code).toBe(0);
  expect(other.stdout).not.toBe(made.stdout);
  const named = (await run('engine', 'images', '--no-trunc', '-q', 'localhost/kept')).stdout;
  expect(named).toBe(made.stdout);

  expect(await run('commit', 'db')).toMatchObject({code: 1, stderr: expect.stringContaining('"db"')});
  expect(await run('engine', 'commit', 'nobody')).toMatchObject({code: 1, stderr: expect.stringContaining('nobody')});
  expect(await run('engine', 'commit')).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('engine commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]'),
  });
  expect(await run('down')).toMatchObject({code: 0});
  expect(await run('engine', 'image', 'prune', '-af')).toMatchObject({code: 0});
  expect(host.leftovers()).toEqual([]);
});
