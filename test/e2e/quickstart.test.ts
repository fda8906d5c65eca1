import {cpSync, mkdirSync} from 'node:fs';
import {copyFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost, projectDirectory, type TestHost} from '../support/host.ts';

async function runQuickStart(host: TestHost, node: string): Promise<void> {
  const example = join(host.directory, 'quickstart');
  cpSync(join(projectDirectory, 'examples/quickstart'), example, {recursive: true});
  const tscompose = (...args: string[]) =>
    host.command(node, [join(projectDirectory, 'dist/cli.cjs'), ...args], {cwd: example, timeoutMs: 60_000});

  const up = await tscompose('up', '-d', '--wait');
  expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
  const page = await host.command('curl', ['-sS', '--max-time', '20', 'http://localhost:8080/']);
  expect(page.stdout).toContain('<h1>Guest book</h1>');
  expect(
    (await host.command('curl', ['-sS', '-d', 'name=Ada&text=hello <world>', 'http://localhost:8080/'])).code,
  ).toBe(0);
  expect((await host.command('curl', ['-sS', 'http://localhost:8080/'])).stdout).toContain(
    '<b>Ada</b> hello &#60;world&#62;',
  );
  expect((await tscompose('ps', '--format', 'json')).stdout.trim().split('\n')).toHaveLength(3);
  expect((await tscompose('logs', 'web')).stdout).toContain('web listens on port 8080');

  expect((await tscompose('down', '-v')).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
}

test('the quick start answers, keeps what was written, and leaves nothing', async () => {
  await using host = await makeHost();
  await runQuickStart(host, process.execPath);
});

test('the quick start works with Node in a home directory', async () => {
  await using host = await makeHost();
  const directory = join(host.directory, 'home/me/.local/node/bin');
  mkdirSync(directory, {recursive: true});
  const node = join(directory, 'node');
  await copyFile(process.execPath, node);
  await runQuickStart(host, node);
});
