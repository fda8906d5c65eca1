import {cpSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost, projectDirectory, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

const password = 'correct horse battery staple';
const env = {DATABASE_PASSWORD: password};

interface Answer {
  readonly host: string;
  readonly visits: number;
  readonly stored: number;
}

async function visit(host: TestHost): Promise<Answer> {
  const {stdout, code} = await host.command('curl', ['-sS', '--max-time', '20', 'http://127.0.0.1:8088/']);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Answer;
}

async function up(host: TestHost): Promise<void> {
  const {code, stderr} = await host.tscompose(['up', '-d', '--wait', '--wait-timeout', '120'], {
    env,
    timeoutMs: 150_000,
  });
  expect(stderr).not.toContain(password);
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
}

test('four tiers of real images come up, work together, keep their data, and leave nothing', {
  timeout: 300_000,
}, async () => {
  await using host = await makeHost();
  await loadImages(host, ['nginx', 'node', 'postgres', 'redis']);
  cpSync(join(projectDirectory, 'test/e2e/four-tier'), host.directory, {recursive: true});

  await up(host);
  const answers: Answer[] = [];
  for (let count = 0; count < 40; count += 1) answers.push(await visit(host));
  expect(new Set(answers.map((answer) => answer.host)).size).toBe(2);
  expect(answers.at(-1)).toMatchObject({visits: 40, stored: 40});

  // The internal network has no way out; the limits are the kernel's; the secret is the app's alone.
  const inside = (service: string, ...command: string[]) => host.tscompose(['exec', '-T', service, ...command], {env});
  expect((await inside('cache', 'cat', '/proc/net/route')).stdout).not.toMatch(/^\S+\s+00000000\s/m);
  expect((await inside('app', 'stat', '-c', '%u:%g %a', '/run/secrets/password')).stdout.trim()).toBe('1000:1000 400');
  expect((await inside('app', 'cat', '/run/secrets/password')).stdout).toBe(password);
  expect((await inside('app', 'touch', '/x')).code).not.toBe(0);

  // Nothing to do is nothing done.
  const again = await host.tscompose(['plan', '--exit-code'], {env});
  expect({code: again.code, stdout: again.stdout}).toMatchObject({code: 0});

  expect((await host.tscompose(['down'], {env})).code).toBe(0);
  await up(host);
  expect(await visit(host)).toMatchObject({visits: 1, stored: 41});

  expect((await host.tscompose(['down', '-v'], {env})).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
  await up(host);
  expect(await visit(host)).toMatchObject({visits: 1, stored: 1});
  expect((await host.tscompose(['down', '-v'], {env})).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
