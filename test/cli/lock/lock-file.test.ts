import {mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {lockPlace, lockText, readLock, writeLock} from '../../../src/cli/lock/lock-file.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-lock-'));
});

afterEach(() => rmSync(directory, {recursive: true}));

const place = () => lockPlace({cwd: directory}, {workingDir: directory}, undefined);
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

const content = {
  images: new Map([
    ['docker.io/library/redis:7', digest('a')],
    ['localhost:5000/team/app:1.2', digest('b')],
    ['docker.io/library/busybox:latest', digest('c')],
  ]),
  builds: new Map([
    ['web', ['docker.io/library/busybox:latest']],
    ['nothing', []],
  ]),
};

test('what is written is read again, whole, and the same for the same content in any order', async () => {
  await writeLock(place(), lockText(content));
  expect(await readLock(place())).toEqual({shown: 'compose.lock.yaml', images: content.images});
  expect(readdirSync(directory)).toEqual(['compose.lock.yaml']);
  expect(lockText(content).split('\n').slice(2)).toEqual([
    'version: 1',
    'images:',
    `  busybox:latest: ${digest('c')}`,
    `  localhost:5000/team/app:1.2: ${digest('b')}`,
    `  redis:7: ${digest('a')}`,
    'builds:',
    '  web:',
    '    - busybox:latest',
    '',
  ]);
  expect(lockText({...content, images: new Map([...content.images].reverse())})).toBe(lockText(content));
});

test('a lock that is a link to one elsewhere stays a link', async () => {
  writeFileSync(join(directory, 'real.yaml'), '');
  symlinkSync('real.yaml', place().path);
  await writeLock(place(), lockText(content));
  expect(readlinkSync(place().path)).toBe('real.yaml');
  expect(readdirSync(directory).sort()).toEqual(['compose.lock.yaml', 'real.yaml']);
});

test('no file is no lock; one elsewhere is named by a flag', async () => {
  expect(await readLock(place())).toBeUndefined();
  const other = lockPlace({cwd: directory}, {workingDir: '/srv'}, 'locks/production.yaml');
  expect(other).toEqual({path: join(directory, 'locks/production.yaml'), shown: 'locks/production.yaml'});
  await expect(writeLock(other, '')).rejects.toThrow(
    'cannot write locks/production.yaml: its directory does not exist',
  );
});

test.each([
  ['', 1, 1, 'the lock file is empty'],
  ['version: 1\n', 1, 1, 'the lock file: "images" is missing'],
  ['version: 2\nimages: {}\n', 1, 10, 'version: 2 is not one of 1'],
  ['version: 1\nimages: [redis]\n', 2, 9, 'images: expected NAME:TAG: DIGEST lines, found a list'],
  [
    'version: 1\nimages:\n  redis: latest\n',
    ...([
      3,
      10,
      'images.redis: the string "latest" does not fit: expected a digest: sha256: and 64 hex digits',
    ] as const),
  ],
  [`version: 1\nimages:\n  Redis: ${digest('a')}\n`, 3, 3, 'images: invalid image name "Redis"'],
  [
    `version: 1\nimages:\n  redis: ${digest('a')}\n  redis:latest: ${digest('b')}\n`,
    4,
    3,
    'redis:latest is there twice',
  ],
  ['version: 1\nimages: {}\nimage: {}\n', 3, 1, 'unknown attribute "image" at the top level'],
  ['version: 1\nimages: {}\nbuilds: {web: busybox}\n', 3, 15, 'builds.web: expected a list of names of images'],
  ['version: 1\nimages: {}\n---\nversion: 1\n', 4, 1, 'the lock file has several documents'],
  ['version: [\n', 1, 10, 'not valid YAML'],
])('%j is refused with its place', async (text, line, column, message) => {
  writeFileSync(place().path, text);
  await expect(readLock(place())).rejects.toMatchObject({
    kind: 'invalid',
    diagnostics: [
      expect.objectContaining({
        ...{severity: 'error', file: 'compose.lock.yaml', line, column},
        ...{message: expect.stringContaining(message), hint: expect.stringMatching(/\S/)},
      }),
    ],
  });
});
