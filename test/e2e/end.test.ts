import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

test('ports are told, services get signals or are ended, what has ended is removed, projects are listed', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: ends
services:
  web:
    image: busybox
    command: sh -c "trap 'echo told' HUP; echo ready; while :; do sleep 0.1; done"
    restart: always
    ports: ["127.0.0.1:18080:80", "127.0.0.1:18053:53/udp"]
  job: {image: busybox, command: sh -c "trap 'exit 4' HUP; echo ready; while :; do sleep 0.1; done"}
  db: {image: busybox, command: sleep 600, stop_grace_period: 0s}
`,
  );
  const run = (...args: readonly string[]) => host.tscompose(args);
  expect(await run('up', '-d')).toMatchObject({code: 0});

  expect(await run('port', 'web', '80')).toMatchObject({code: 0, stdout: '127.0.0.1:18080\n'});
  expect(await run('port', 'web', '53/udp')).toMatchObject({code: 0, stdout: '127.0.0.1:18053\n'});
  expect(await run('port', '--protocol', 'udp', 'web', '53')).toMatchObject({code: 0, stdout: '127.0.0.1:18053\n'});
  expect((await run('port', 'web')).stdout.split('\n').sort()).toEqual([
    '',
    '53/udp -> 127.0.0.1:18053',
    '80/tcp -> 127.0.0.1:18080',
  ]);
  expect(await run('port', 'db', '80')).toMatchObject({
    code: 1,
    stdout: '',
    stderr:
      'error: port 80/tcp of ends-db-1 is not published\nhint: none of its ports is: see "ports" of the service\n',
  });
  expect((await run('port', 'web', 'http')).code).toBe(64);

  const waiting = run('wait', 'job');
  await eventually(async () => expect((await run('logs', 'job')).stdout).toContain('ready'));
  expect((await run('kill', '-s', 'HUP', 'job')).code).toBe(0);
  const ended = {code: 4, stdout: 'ends-job-1 exited with code 4\n'};
  expect(await waiting).toMatchObject(ended);
  // What has ended before counts, too.
  expect(await run('wait', 'job')).toMatchObject(ended);
  expect((await run('rm', '-f', 'job')).code).toBe(0);

  const file = join(host.directory, 'compose.yaml');
  const listed = async (...flags: readonly string[]) => (await run('ls', ...flags, '--format', 'json')).stdout;
  expect(JSON.parse(await listed())).toEqual([{Name: 'ends', Status: 'running(2)', ConfigFiles: file}]);

  expect(await listed('--filter', 'name=^en')).toBe(await listed());
  expect(await listed('--filter', 'name=other')).toBe('[]\n');
  expect((await run('stop', 'db')).code).toBe(0);
  expect(JSON.parse(await listed())).toMatchObject([{Status: 'running(1)'}]);
  expect(JSON.parse(await listed('-a'))).toMatchObject([{Status: 'exited(1), running(1)'}]);
  expect((await run('start', 'db')).code).toBe(0);

  await eventually(async () => expect((await run('logs', 'web')).stdout).toContain('ready'));
  expect(await run('kill', '-s', 'HUP', 'web')).toMatchObject({code: 0});
  await eventually(async () => expect((await run('logs', 'web')).stdout).toContain('told'));
  expect((await run('kill')).code).toBe(0);
  // A policy does not start again what somebody ended.
  await eventually(async () =>
    expect((await run('ps', '-a', '--format', '{{.Name}} {{.State}} {{.ExitCode}}')).stdout).toBe(
      'ends-db-1 exited 137\nends-web-1 exited 137\n',
    ),
  );
  expect(await listed()).toBe('[]\n');
  expect(JSON.parse(await listed('-a'))).toEqual([{Name: 'ends', Status: 'exited(2)', ConfigFiles: file}]);

  expect(await run('rm', 'web')).toMatchObject({
    code: 64,
    stderr: 'error: rm asks before it removes, and there is no terminal\nhint: write: tscompose rm --force\n',
  });
  expect((await run('rm', '-f', 'web')).code).toBe(0);
  expect((await run('ps', '-a', '-q')).stdout.trim().split('\n')).toHaveLength(1);
  expect((await run('start', 'db')).code).toBe(0);
  expect((await run('rm', '-f')).code).toBe(0);
  expect((await run('ps', '-q')).stdout.trim().split('\n')).toHaveLength(1);
  expect((await run('rm', '-fs')).code).toBe(0);
  expect((await run('ps', '-a', '-q')).stdout).toBe('');

  expect(await run('wait', 'web', 'db')).toMatchObject({
    code: 1,
    stderr: 'error: there is no container of "web", "db"\nhint: start it first: tscompose up -d web db\n',
  });
  expect((await run('up', '-d', 'db', 'job')).code).toBe(0);
  const ending = run('wait', '--down-project', 'db', 'job');
  await eventually(async () => expect((await run('logs', 'job')).stdout).toContain('ready'));
  expect((await run('kill', '-s', 'HUP', 'job')).code).toBe(0);
  expect(await ending).toMatchObject({code: 4, stdout: 'ends-job-1 exited with code 4\n'});
  expect((await run('ps', '-a', '-q')).stdout).toBe('');

  expect((await run('down')).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
