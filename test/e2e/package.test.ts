import {createHash} from 'node:crypto';
import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {execute, makeHost, projectDirectory, type TestHost} from '../support/host.ts';

/** Packs this build and installs it as a user would who runs no scripts. Answers the installed package's directory. */
async function installPackage(host: TestHost): Promise<string> {
  const pack = await execute('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', host.directory], {
    cwd: projectDirectory,
  });
  expect(pack.code).toBe(0);
  const archive = readdirSync(host.directory).find((name) => name.endsWith('.tgz'));
  const prefix = join(host.directory, 'prefix');
  mkdirSync(prefix);
  writeFileSync(join(prefix, 'package.json'), '{"private":true}');
  const install = await execute(
    'npm',
    ['install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', join(host.directory, archive ?? '')],
    {cwd: prefix},
  );
  expect({code: install.code, stderr: install.code === 0 ? '' : install.stderr}).toEqual({code: 0, stderr: ''});
  expect(readdirSync(join(prefix, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['tscompose']);
  return join(prefix, 'node_modules/tscompose');
}

test('a packed package runs without scripts, dependencies and compiler', async () => {
  await using host = await makeHost();
  const directory = await installPackage(host);
  const digests = JSON.parse(readFileSync(join(directory, 'dist/native/digests.json'), 'utf8')) as Readonly<
    Record<string, string>
  >;
  expect(Object.keys(digests)).toContain(`linux-${process.arch}/tscompose-helper`);
  for (const [name, digest] of Object.entries(digests)) {
    expect(
      createHash('sha256')
        .update(readFileSync(join(directory, 'dist/native', name)))
        .digest('hex'),
    ).toBe(digest);
  }

  const none = join(host.directory, 'no-programs');
  mkdirSync(none);
  const cli = (...words: string[]) =>
    host.command(process.execPath, [join(directory, 'dist/cli.cjs'), ...words], {
      cwd: join(directory, 'examples/quickstart'),
      env: {PATH: none},
      timeoutMs: 60_000,
    });
  expect((await cli('version', '--short')).stdout).toBe(
    `${(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {readonly version: string}).version}\n`,
  );
  // As npm links it: a program of its own.
  const linked = await host.command(join(directory, '../.bin/tscompose'), ['version', '--short']);
  expect(linked).toMatchObject({code: 0, stderr: ''});
  const up = await cli('up', '-d', '--wait');
  expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
  expect((await cli('down', '-v')).code).toBe(0);
});

test('without a ready helper it is made from the sources at the first run, or the missing compiler is named', {
  timeout: 240_000,
}, async () => {
  await using host = await makeHost();
  const directory = await installPackage(host);
  rmSync(join(directory, 'dist/native'), {recursive: true});
  const none = join(host.directory, 'no-programs');
  mkdirSync(none);
  const load = (path: string) =>
    host.command(process.execPath, [join(directory, 'dist/cli.cjs'), 'up', '-d'], {
      cwd: join(directory, 'examples/quickstart'),
      env: {PATH: path},
      timeoutMs: 200_000,
    });
  const refused = await load(none);
  expect(refused.stderr).toMatch(
    /error: there is no native helper for linux-\w+, and "cc" to build one is missing\nhint: install a C compiler and make/,
  );
  expect(refused.code).toBe(69);
  expect((await load(process.env['PATH'] ?? '')).code).toBe(0);
  expect((await host.tscompose(['-p', 'quickstart', 'down', '-v'])).code).toBe(0);
});
