import {spawnSync} from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {projectDirectory} from '../support/host.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-boot-'));
});

afterEach(() => {
  rmSync(directory, {recursive: true, force: true});
});

function version(env: Readonly<Record<string, string>> = {XDG_CACHE_HOME: directory}): string {
  const {stdout, stderr, status} = spawnSync(
    process.execPath,
    [join(projectDirectory, 'dist/cli.cjs'), 'version', '--short'],
    {
      env: {PATH: process.env['PATH'] ?? '', ...env},
      encoding: 'utf8',
    },
  );
  expect({stderr, status}).toEqual({stderr: '', status: 0});
  return stdout;
}

/** The directory of the only program that has a cache. */
function place(): string {
  const [program, ...others] = readdirSync(join(directory, 'tscompose/code'));
  expect(others).toEqual([]);
  return join(directory, 'tscompose/code', program ?? '');
}

const files = () => readdirSync(place());

test('the first runs of a command keep what they compiled, for nobody but their user', () => {
  const seen = new Set<string>();
  for (let run = 1; run <= 6; run += 1) {
    seen.add(version());
    expect(files()).toEqual([`version-${Math.min(run, 4)}`]);
  }
  expect(seen.size).toBe(1);
  expect(statSync(place()).mode & 0o777).toBe(0o700);
  expect(statSync(join(place(), 'version-4')).mode & 0o777).toBe(0o600);
});

test('a cache that is none is replaced', () => {
  const expected = version();
  for (let run = 0; run < 3; run += 1) version();
  writeFileSync(join(place(), 'version-4'), 'not compiled code');
  expect(version()).toBe(expected);
  expect(files()).toEqual(['version-1']);
  expect(statSync(join(place(), 'version-1')).size).toBeGreaterThan(10_000);
});

test('a damaged cache is not run, but replaced', () => {
  const expected = version();
  for (let run = 0; run < 3; run += 1) version();
  const file = join(place(), 'version-4');
  const data = readFileSync(file);
  // As a disk may leave it that lost power: whole by its length.
  writeFileSync(file, data.fill(0, data.length >> 1));
  expect(version()).toBe(expected);
  expect(files()).toEqual(['version-1']);
});

test.each<readonly [string, (file: string) => void]>([
  ['belongs to another user', (file) => chownSync(file, 65534, 65534)],
  ['others can write', (file) => chmodSync(file, 0o666)],
  [
    'is a link',
    (file) => {
      rmSync(file);
      writeFileSync(join(directory, 'elsewhere'), 'compiled by somebody');
      symlinkSync(join(directory, 'elsewhere'), file);
    },
  ],
])('a cache that %s is not read', (_, spoil) => {
  const expected = version();
  version();
  spoil(join(place(), 'version-2'));
  expect(version()).toBe(expected);
  // It began anew.
  expect(files()).toEqual(['version-1']);
});

test('a directory of another user is neither read nor written', () => {
  const expected = version();
  rmSync(join(place(), 'version-1'));
  chownSync(place(), 65534, 65534);
  expect(version()).toBe(expected);
  expect(files()).toEqual([]);
});

test('in the home of another user, who could not write there any more, nothing is left', () => {
  chownSync(directory, 65534, 65534);
  expect(version({HOME: directory})).toBe(version({}));
  expect(readdirSync(directory)).toEqual([]);
});

test('without a place, or switched off, nothing is kept', () => {
  const expected = version({});
  expect(version({XDG_CACHE_HOME: directory, NODE_DISABLE_COMPILE_CACHE: '1'})).toBe(expected);
  expect(version({XDG_CACHE_HOME: 'relative'})).toBe(expected);
  expect(version({HOME: directory})).toBe(expected);
  expect(readdirSync(directory)).toEqual(['.cache']);
  rmSync(join(directory, '.cache'), {recursive: true});
  mkdirSync(join(directory, 'file'));
  writeFileSync(join(directory, 'file/tscompose'), '');
  expect(version({XDG_CACHE_HOME: join(directory, 'file')})).toBe(expected);
});

test('commands of a group have a cache each', () => {
  for (const words of [
    ['engine', '--help'],
    ['engine', 'images', '--help'],
    ['--progress', 'quiet', 'engine', 'image', 'ls', '--help'],
  ]) {
    const {status} = spawnSync(join(projectDirectory, 'dist/cli.cjs'), words, {
      env: {PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: directory},
    });
    expect(status).toBe(0);
  }
  expect(files().sort()).toEqual(['engine-1', 'engine-image-ls-1', 'engine-images-1']);
});

test('a command that has a program of its own leaves the whole one alone, and one that only looks like it is run by that', () => {
  writeFileSync(join(directory, 'compose.yaml'), 'services: {exec: {image: one}, other: {image: two}}\n');
  const run = (...words: readonly string[]) => {
    const {stdout, stderr, status} = spawnSync(join(projectDirectory, 'dist/cli.cjs'), words, {
      cwd: directory,
      env: {PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: directory},
      encoding: 'utf8',
    });
    return {stdout, stderr, status, caches: programs()};
  };
  const programs = () =>
    readdirSync(join(directory, 'tscompose/code')).map((name) => name.replace(/-[0-9a-f]{16}\.cjs.*$/, ''));
  // Errors of their own: what they need is there.
  expect(run('exec', 'nobody', 'true')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('no such service: "nobody"'),
    caches: ['exec'],
  });
  expect(run('engine', 'build', 'nowhere')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('there is no directory nowhere'),
    caches: ['engine-build', 'exec'],
  });
  // "config" might be the value of the flag before it, as far as can be told before the line is read.
  expect(run('--all-resources', 'config', 'exec', '--images')).toEqual({
    stdout: 'one\n',
    stderr: '',
    status: 0,
    caches: ['engine-build', 'exec', 'main'],
  });
  expect(run('constructor')).toMatchObject({stdout: '', status: 64});
});

test('caches of other builds go at the age of 30 days, those of this one stay', () => {
  const code = join(directory, 'tscompose/code');
  version();
  const [main = ''] = readdirSync(code);
  for (const name of ['main-0123456789abcdef.cjs-old', 'main-fedcba9876543210.cjs-young']) mkdirSync(join(code, name));
  const days = (count: number) => new Date(Date.now() - count * 24 * 60 * 60 * 1000);
  for (const name of [main, 'main-0123456789abcdef.cjs-old']) utimesSync(join(code, name), days(31), days(31));
  utimesSync(join(code, 'main-fedcba9876543210.cjs-young'), days(29), days(29));
  const env = {PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: directory};
  expect(spawnSync(join(projectDirectory, 'dist/cli.cjs'), ['exec', '--help'], {env}).status).toBe(0);
  expect(readdirSync(code).sort()).toEqual([
    expect.stringMatching(/^exec-/),
    ...[main, 'main-fedcba9876543210.cjs-young'].sort(),
  ]);
});

test('NODE_EXTRA_CA_CERTS goes past Node, which would read it all, and is there for us under its own name', () => {
  writeFileSync(join(directory, 'compose.yaml'), 'services: {a: {image: "${NODE_EXTRA_CA_CERTS}"}}\n');
  const run = (program: readonly string[]) => {
    const [first = '', ...rest] = [...program, join(projectDirectory, 'dist/cli.cjs'), 'config', '--images'];
    const {stdout, stderr} = spawnSync(first, rest, {
      cwd: directory,
      env: {
        PATH: process.env['PATH'] ?? '',
        XDG_CACHE_HOME: directory,
        NODE_EXTRA_CA_CERTS: '/nonexistent/authorities.pem',
      },
      encoding: 'utf8',
    });
    return {stdout, told: stderr.includes('extra certs')};
  };
  expect(run([])).toEqual({stdout: '/nonexistent/authorities.pem\n', told: false});
  // Node itself tells of a file that it cannot read.
  expect(run([process.execPath])).toEqual({stdout: '/nonexistent/authorities.pem\n', told: true});
});

test('flags that Node has, too, are ours', () => {
  const run = (...words: readonly string[]) => {
    const {stderr, status} = spawnSync(join(projectDirectory, 'dist/cli.cjs'), words, {
      cwd: directory,
      env: {PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: directory},
      encoding: 'utf8',
    });
    return {stderr, status};
  };
  expect(run('--env-file', 'none.env', 'config')).toEqual({
    stderr: 'error: cannot read environment file "none.env": no such file\nhint: check the path given to --env-file\n',
    status: 65,
  });
  expect(run('--env-file', '/dev/zero', 'config')).toEqual({
    stderr:
      'error: the environment file "/dev/zero" has more than 4194304 bytes\nhint: allow more with --max-file-size\n',
    status: 65,
  });
});
