import {chmodSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {nativeProgram} from '../native/network-bed.ts';
import {eventually, makeHost, projectDirectory, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

const stack = `name: older
services:
  web:
    image: busybox
    init: true
    command: [sh, -c, "echo hello > /data/index.html; exec httpd -f -p 80 -h /data"]
    volumes: ["data:/data"]
    ports: ["18095:80"]
    healthcheck: {test: "wget -q -O /dev/null http://localhost/", interval: 1s}
    mem_limit: 64m
    read_only: true
    tmpfs: [/run]
    networks: {default: {aliases: [front]}}
  client:
    image: busybox
    init: true
    tty: true
    user: app
    command: sleep 600
    depends_on: {web: {condition: service_healthy}}
    cap_drop: [ALL]
    secrets: [token]
secrets: {token: {file: ./token}}
volumes: {data: {}}
`;

/** A helper for whom newer system calls do not exist, nor for whatever it starts. */
function olderHelper(host: TestHost): string {
  const helper =
    process.env['TSCOMPOSE_HELPER'] ?? join(projectDirectory, `dist/native/linux-${process.arch}/tscompose-helper`);
  const path = join(host.directory, 'older-helper');
  writeFileSync(path, `#!/bin/sh\nexec ${nativeProgram('enosys')} ${helper} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

test('a stack comes up, works and goes without the system calls that came after Linux 5.15', async () => {
  await using host = await makeHost();
  const env = {TSCOMPOSE_HELPER: olderHelper(host)};
  const tscompose = (...words: readonly string[]) => host.tscompose(words, {env, timeoutMs: 60_000});
  await loadImages(host, ['busybox']);
  writeFileSync(join(host.directory, 'compose.yaml'), stack);
  writeFileSync(join(host.directory, 'token'), 'token');

  const up = await tscompose('up', '-d', '--wait');
  expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
  const inside = async (service: string, ...words: readonly string[]) =>
    (await tscompose('exec', '-T', service, ...words)).stdout;
  // Its filter and the container's own.
  expect(await inside('client', 'grep', 'Seccomp_filters', '/proc/self/status')).toBe('Seccomp_filters:\t2\n');
  expect(await inside('client', 'wget', '-q', '-O-', 'http://front/')).toBe('hello\n');
  expect(await inside('client', 'cat', '/run/secrets/token')).toBe('token');
  expect(await inside('client', 'id', '-u')).toBe('1000\n');
  expect(await inside('web', 'sh', '-c', ': > /forbidden')).toBe('');
  expect((await tscompose('exec', '-T', 'web', 'touch', '/forbidden')).code).toBe(1);
  expect((await host.command('curl', ['-sS', '--max-time', '20', 'http://127.0.0.1:18095/'])).stdout).toBe('hello\n');
  expect((await tscompose('exec', '-T', 'web', 'sh', '-c', 'exit 7')).code).toBe(7);

  expect((await tscompose('restart', '-t', '1', 'web')).code).toBe(0);
  await eventually(async () =>
    expect((await host.command('curl', ['-sS', '--max-time', '20', 'http://127.0.0.1:18095/'])).stdout).toBe('hello\n'),
  );
  const again = await tscompose('plan', '--exit-code');
  expect({code: again.code, stdout: again.stdout}).toMatchObject({code: 0});
  expect((await tscompose('down', '-v', '-t', '1')).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
