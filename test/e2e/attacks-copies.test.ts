import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {isGoDirectory, isGoLink} from '../../src/api/file-mode.ts';
import {hasKind} from '../../src/base/errors.ts';
import {extractLocal} from '../../src/cli/copy/extract-local.ts';
import {type Bed, makeBed} from '../engine/container/bed.ts';
import {makeTar, type RawEntry} from '../support/archive.ts';
import {eventually, projectDirectory} from '../support/host.ts';
import {bytesOf} from '../support/read-tar.ts';

/** Copies race against what a container does to its own names meanwhile. */
let base: string;
/** A directory of the machine with a file that no container may see or change. */
let outside: string;
let program: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'tsc-copies-'));
  program = join(base, 'try');
  execFileSync('cc', ['-static', '-O1', '-o', program, join(projectDirectory, 'test/e2e/attacks/try.c')]);
});
afterAll(() => rmSync(base, {recursive: true}));
beforeEach(() => {
  outside = mkdtempSync(join(base, 'outside-'));
  writeFileSync(join(outside, 'secret'), 'of the machine');
});
afterEach(() => {
  expect(readdirSync(outside)).toEqual(['secret']);
  expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('of the machine');
});

const climbing = () => `${'../'.repeat(20)}${outside.slice(1)}`;

async function* pieces(...entries: readonly RawEntry[]): AsyncGenerator<Uint8Array> {
  yield makeTar(entries);
}

describe('a container that swaps a directory for a link (CVE-2018-15664, CVE-2026-41568)', () => {
  let bed: Bed;
  let attacker: string;
  beforeEach(async () => {
    bed = await makeBed();
    const script = `mkdir -p /w/place; echo own >/w/place/secret; ln -s ${climbing()} /w/link; exec /try swap /w/place /w/link`;
    attacker = await bed.start(['sh', '-c', script], {
      HostConfig: {Binds: [`${program}:/try:ro`], NetworkMode: 'none'},
    });
  });
  afterEach(() => bed.close());

  /** Answers how often the name was seen as each of both. */
  async function sightings(): Promise<{readonly links: number; readonly directories: number}> {
    const seen = {links: 0, directories: 0};
    await eventually(async () => {
      const stat = await bed.engine.containers.statPath(attacker, '/w/place');
      if (isGoLink(stat.mode)) seen.links++;
      if (isGoDirectory(stat.mode)) seen.directories++;
      expect(Math.min(seen.links, seen.directories)).toBeGreaterThan(0);
    });
    return seen;
  }

  test('is read only where it belongs', async () => {
    await sightings();
    let read = 0;
    for (let round = 0; round < 100; round++) {
      for (const path of ['/w/place/secret', '/w/place/', '/w/place/.', '/w']) {
        try {
          const {archive} = await bed.engine.containers.archivePath(attacker, path);
          const text = (await bytesOf(archive)).toString('latin1');
          expect(text).not.toContain('of the machine');
          if (text.includes('own\n')) read++;
        } catch (error) {
          // The link leads nowhere inside the container.
          if (!hasKind(error, 'notFound', 'invalid')) throw error;
        }
      }
    }
    expect(read).toBeGreaterThan(0);
    await sightings();
  });

  test('is written to only where it belongs', async () => {
    await sightings();
    let written = 0;
    for (let round = 0; round < 100; round++) {
      const entries = [{name: 'secret', data: 'put'}, {name: `new-${round}`, data: 'put'}, {name: 'sub/deep/file'}];
      for (const [path, prefix] of [
        ['/w/place', ''],
        ['/w', 'place/'],
        ['/', 'w/place/'],
      ] as const) {
        try {
          const archive = pieces(...entries.map((entry) => ({...entry, name: `${prefix}${entry.name}`})));
          await bed.engine.containers.extractArchive(attacker, {path, typed: false, owned: false}, archive);
          written++;
        } catch (error) {
          if (!hasKind(error, 'notFound', 'invalid', 'conflict')) throw error;
        }
      }
      expect(readdirSync(outside)).toEqual(['secret']);
    }
    expect(written).toBeGreaterThan(0);
    await sightings();
  });
});

test('a file that is swapped for a pipe holds nobody up', async () => {
  const bed = await makeBed();
  try {
    const script = 'mkdir /w; echo own >/w/file; mkfifo /w/pipe; exec /try swap /w/file /w/pipe';
    const id = await bed.start(['sh', '-c', script], {
      HostConfig: {Binds: [`${program}:/try:ro`], NetworkMode: 'none'},
    });
    await eventually(async () => {
      await bed.engine.containers.statPath(id, '/w/pipe');
    });
    for (let round = 0; round < 100; round++) {
      const {archive} = await bed.engine.containers.archivePath(id, '/w');
      await bytesOf(archive);
    }
  } finally {
    await bed.close();
  }
});

test('nothing of the container is executed or loaded for a copy (CVE-2019-14271, CVE-2026-41567)', async () => {
  const bed = await makeBed();
  try {
    const mark = '#!/bin/sh\necho ran >/mark\n';
    const programs = ['gzip', 'gunzip', 'unpigz', 'xz', 'unxz', 'tar', 'zstd'];
    const hostile: readonly RawEntry[] = [
      ...programs.flatMap((name) =>
        ['bin/', 'usr/bin/', 'usr/local/bin/'].map((directory) => ({
          name: `${directory}${name}`,
          data: mark,
          mode: 0o755,
        })),
      ),
      ...['lib/', 'lib64/', 'usr/lib/'].map((directory) => ({
        name: `${directory}libnss_files.so.2`,
        data: mark,
        mode: 0o755,
      })),
      {name: 'etc/nsswitch.conf', data: 'passwd: files\ngroup: files\n'},
    ];
    const id = await bed.start(['sleep', '1000'], {User: 'root'});
    const put = (archive: AsyncIterable<Uint8Array>, path = '/tmp') =>
      bed.engine.containers.extractArchive(id, {path, typed: false, owned: true}, archive);
    await put(pieces(...hostile), '/');
    await put(
      (async function* () {
        yield gzipSync(makeTar([{name: 'zipped', data: 'content'}]));
      })(),
    );
    const xz = (async function* () {
      yield Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0, 0]);
    })();
    await expect(put(xz)).rejects.toMatchObject({kind: 'invalid'});
    await bytesOf((await bed.engine.containers.archivePath(id, '/tmp')).archive);
    await expect(bed.engine.containers.statPath(id, '/mark')).rejects.toMatchObject({kind: 'notFound'});
    expect(await bed.exec(id, ['cat', '/tmp/zipped'])).toEqual({code: 0, output: 'content'});
  } finally {
    await bed.close();
  }
});

test('users are not read through links that lead out of the container', async () => {
  const bed = await makeBed();
  try {
    writeFileSync(join(outside, 'secret'), 'intruder:x:4242:4242::/:/bin/sh\n');
    const id = await bed.create(['true'], {User: 'intruder'});
    const put = (...entries: readonly RawEntry[]) =>
      bed.engine.containers.extractArchive(id, {path: '/', typed: false, owned: true}, pieces(...entries));
    await bed.engine.containers.extractArchive(
      id,
      {path: '/etc', typed: false, owned: false},
      pieces({name: 'passwd', type: '2', link: `${climbing()}/secret`}),
    );
    await expect(put({name: 'x'})).rejects.toMatchObject({kind: expect.stringMatching(/^(invalid|notFound)$/)});
    writeFileSync(join(outside, 'secret'), 'of the machine');
  } finally {
    await bed.close();
  }
});

describe('a directory of this machine that somebody swaps for a link while files come into it', () => {
  let swapper: ChildProcess;
  let shared: string;
  beforeEach(() => {
    shared = mkdtempSync(join(base, 'shared-'));
    mkdirSync(join(shared, 'place'));
    symlinkSync(outside, join(shared, 'link'));
    swapper = spawn(program, ['swap', join(shared, 'place'), join(shared, 'link')], {stdio: 'ignore'});
  });
  afterEach(async () => {
    const ended = once(swapper, 'exit');
    swapper.kill('SIGKILL');
    await ended;
  });

  test('is the only one that they come into', async () => {
    let done = 0;
    for (let round = 0; round < 300 || done === 0; round++) {
      try {
        await extractLocal(
          pieces(
            {name: 'place/', type: '5', mode: 0o777},
            {name: 'place/secret', data: 'put'},
            {name: `place/new-${round}/x`},
          ),
          {
            root: 'place',
            place: {directory: shared, name: 'place'},
            onSkipped: () => {},
          },
        );
        done++;
      } catch (error) {
        if (!hasKind(error, 'invalid')) throw error;
      }
      expect(readdirSync(outside)).toEqual(['secret']);
    }
  });
});
