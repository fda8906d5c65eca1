import {cpSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost, projectDirectory} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

test('the registry of the example takes an image, gives it back after a restart, and leaves nothing', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const cwd = join(host.directory, 'registry');
  cpSync(join(projectDirectory, 'examples/registry'), cwd, {recursive: true});
  const env = {TSCOMPOSE_DIST: join(projectDirectory, 'dist'), PORT: '5005'};
  const tscompose = async (...args: string[]) => {
    const {code, stdout, stderr} = await host.tscompose(args, {cwd, env});
    expect({args, code, stderr: code === 0 ? '' : stderr}).toEqual({args, code: 0, stderr: ''});
    return stdout;
  };
  const name = 'localhost:5005/team/app:1';
  await tscompose('up', '-d', '--wait');
  await tscompose('engine', 'image', 'tag', 'busybox:latest', name);
  await tscompose('engine', 'push', '-q', name);
  await tscompose('restart');
  await tscompose('engine', 'image', 'rm', name);
  await tscompose('up', '-d', '--wait');
  await tscompose('engine', 'pull', '-q', name);
  expect(await tscompose('images', '--all', '--format', 'json')).toContain('localhost:5005/team/app');
  expect(await tscompose('logs', '--no-log-prefix')).toMatch(/ "PUT \/v2\/team\/app\/manifests\/1" 201 0 B /);
  await tscompose('down', '-v');
  expect(host.leftovers()).toEqual([]);
});
