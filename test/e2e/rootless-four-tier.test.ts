import {cpSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, projectDirectory} from '../support/host.ts';
import {makeUserHost, type UserHost} from '../support/user-host.ts';

const password = 'correct horse battery staple';
const env = {DATABASE_PASSWORD: password};

async function visit(
  host: UserHost,
): Promise<{readonly host: string; readonly visits: number; readonly stored: number}> {
  const {stdout, stderr, code} = await host.command('curl', ['-sS', '--max-time', '20', 'http://127.0.0.1:8088/']);
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  return JSON.parse(stdout);
}

async function up(host: UserHost): Promise<void> {
  // No cgroup is given to this user here, so the limits of the stack are left out.
  const flags = ['-d', '--wait', '--wait-timeout', '120', '--allow-missing-limits'];
  const {code, stderr} = await host.tscompose(['up', ...flags], {env, timeoutMs: 150_000});
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
}

test('four tiers of real images run as an ordinary user, with subordinate ids, and leave nothing', {
  timeout: 300_000,
}, async () => {
  await using host = await makeUserHost(['ids']);
  await host.loadImages(['nginx', 'node', 'postgres', 'redis']);
  cpSync(join(projectDirectory, 'test/e2e/four-tier'), host.directory, {recursive: true});

  await up(host);
  const answers = [];
  for (let count = 0; count < 20; count += 1) answers.push(await visit(host));
  expect(new Set(answers.map((answer) => answer.host)).size).toBe(2);
  expect(answers.at(-1)).toMatchObject({visits: 20, stored: 20});

  // Root is nowhere: neither a process nor a file nor a part of the machine's network is root's.
  const users = new Set(host.processes().map(({userId}) => userId));
  expect(users.size).toBeGreaterThan(1);
  expect((await host.asRoot('find', [host.root, host.run, '-ignore_readdir_race', '-user', '0'])).stdout).toBe('');
  expect((await host.asRoot('ip', ['-o', 'link', 'show'])).stdout.trim().split('\n')).toHaveLength(1);
  const inside = (service: string, ...command: string[]) => host.tscompose(['exec', '-T', service, ...command], {env});
  expect((await inside('app', 'id', '-u')).stdout.trim()).toBe('1000');
  expect((await inside('app', 'stat', '-c', '%u:%g %a', '/run/secrets/password')).stdout.trim()).toBe('1000:1000 400');

  expect((await host.tscompose(['down'], {env})).code).toBe(0);
  await up(host);
  expect(await visit(host)).toMatchObject({visits: 1, stored: 21});
  expect((await host.tscompose(['down', '-v'], {env})).code).toBe(0);
  await eventually(() => expect(host.leftovers()).toEqual([]));
});
