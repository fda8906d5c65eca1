import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {finish, read, startCommand, write} from '../support/watching.ts';

test('at the limit of watches it says which one, how much of it is in use and how to raise it, and goes on by looking', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: limits
services:
  api: {image: busybox, stop_grace_period: 0s, command: sleep 600, develop: {watch: [{path: ./src, action: restart}]}}
`,
  );
  for (let directory = 0; directory < 60; directory += 1) write(host, `src/d${directory}/file`, '');
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  // A user namespace has limits of its own: nobody else on the machine has fewer watches for it.
  const limited = 'echo 40 > /proc/sys/user/max_inotify_watches && exec "$@"';
  await using watch = startCommand(host, ['--progress', 'json', 'watch', '--no-up'], {
    through: ['unshare', '--user', '--map-root-user', 'sh', '-c', limited, 'sh'],
  });
  await eventually(() =>
    expect(watch.events('watchReady')).toMatchObject([{backend: 'polling', files: 60, directories: 60}]),
  );
  expect(watch.events('notice')).toMatchObject([
    {
      notice: {
        level: 'warning',
        message: expect.stringMatching(
          /^cannot watch files: \d+ of 40 inotify watches of this user are in use \(user\.max_inotify_watches\)$/,
        ),
        hint: 'run "sudo sysctl -w user.max_inotify_watches=524288"',
      },
    },
  ]);
  // Saves are noticed all the same; what they set off is more than such a namespace is allowed.
  write(host, 'src/d59/file', 'saved');
  await eventually(() =>
    expect(watch.events('watchBatch')).toMatchObject([{services: ['api'], cause: {paths: ['src/d59/file']}}]),
  );
  expect(await watch.interrupt()).toBe(130);
  await finish(host);
});

test('more changes than the kernel keeps for one reader: what was lost is found, and the end is right', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: overflow
services:
  api:
    image: busybox
    stop_grace_period: 0s
    command: sleep 600
    develop: {watch: [{path: ./src, action: sync, target: /src}]}
`,
  );
  write(host, 'src/first', '');
  const queued = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
  await using watch = startCommand(host, ['--progress', 'json', 'watch']);
  await eventually(() => expect(watch.events('summary')).toHaveLength(1));
  // It does not get to read: the queue fills up, and what comes after that is lost without a trace.
  process.kill(watch.pid, 'SIGSTOP');
  try {
    for (let file = 0; file < queued; file += 1) writeFileSync(join(host.directory, `src/f${file % 500}`), `${file}`);
    write(host, 'src/late/last', 'last');
  } finally {
    process.kill(watch.pid, 'SIGCONT');
  }
  await eventually(async () => {
    expect(await read(host, 'api', 'cat /src/late/last; ls /src | wc -l')).toBe('last501\n');
    expect(await read(host, 'api', 'cat /src/f499')).toBe(String(Math.floor((queued - 500) / 500) * 500 + 499));
  }, 30_000);
  expect(watch.events('watchBatch').some(({storm}) => storm === true)).toBe(true);
  // And it watches on, also in directories that it was never told of.
  write(host, 'src/late/after', 'after');
  await eventually(async () => expect(await read(host, 'api', 'cat /src/late/after')).toBe('after'));
  await watch.interrupt();
  await finish(host);
});
