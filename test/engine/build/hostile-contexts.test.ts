import {execFileSync} from 'node:child_process';
import {
  createReadStream,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {createServer, type Server} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type Header, pack} from 'tar-stream';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {BuildBody} from '../../../src/api/types/build.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {imageArchive} from '../../support/test-images.ts';
import {eventsOf, plainBody} from './plain-body.ts';

const directory = mkdtempSync(join(tmpdir(), 'tscompose-hostile-'));
let bed: TestEngine;

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
  mkdirSync(join(directory, 'outside'));
  writeFileSync(join(directory, 'outside/file'), 'of the machine');
});

afterAll(async () => {
  await bed?.close();
  rmSync(directory, {recursive: true, force: true});
});

/** Builds, and answers where the files of the result are. */
async function filesOf(text: string, more: Partial<BuildBody>): Promise<string> {
  const path = mkdtempSync(join(directory, 'out-'));
  await eventsOf(bed.engine, plainBody(text, {...more, outputs: [{kind: 'local', path}]}));
  return path;
}

describe('a directory', () => {
  const context = join(directory, 'context');
  const copying = (source: string) => filesOf(`FROM scratch\nCOPY ${source} /x/\n`, {context});
  let server: Server;

  beforeAll(async () => {
    mkdirSync(context);
    writeFileSync(join(context, 'plain'), 'plain');
    symlinkSync(join(directory, 'outside'), join(context, 'away'));
    symlinkSync('../outside', join(context, 'up'));
    symlinkSync('../outside/file', join(context, 'one'));
    execFileSync('mkfifo', [join(context, 'pipe')]);
    execFileSync('mknod', [join(context, 'device'), 'c', '1', '5']);
    server = createServer().listen(join(context, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test.each(['away/file', 'up/file', 'one', '../outside/file', 'away/*', '/../outside'])(
    'COPY %s brings nothing from outside',
    async (source) => {
      const files = await copying(source).catch((error: unknown) => error);
      if (files instanceof Error) expect(files.message).toContain('not found');
      else expect(readdirSync(String(files), {recursive: true})).toEqual([]);
    },
  );

  test('links are copied as links, pipes and devices as what they are, sockets not at all', async () => {
    const files = join(await copying('.'), 'x');
    expect(readdirSync(files).sort()).toEqual(['away', 'device', 'one', 'pipe', 'plain', 'up']);
    expect(lstatSync(join(files, 'up')).isSymbolicLink()).toBe(true);
    expect(lstatSync(join(files, 'pipe')).isFIFO()).toBe(true);
    expect(lstatSync(join(files, 'device'))).toMatchObject({rdev: lstatSync(join(context, 'device')).rdev});
  });

  test.each(['pipe', 'device'])('a %s is copied, not read', async (name) => {
    for (const instruction of [`COPY ${name} /x/`, `ADD ${name} /x/`]) {
      const files = await filesOf(`FROM scratch\n${instruction}\n`, {context});
      expect(lstatSync(join(files, 'x', name)).isFile()).toBe(false);
    }
  });

  test('what hides files of the layers below is not made', async () => {
    const hiding = mkdtempSync(join(directory, 'hiding-'));
    execFileSync('mknod', [join(hiding, 'sh'), 'c', '0', '0']);
    const text = 'FROM busybox\nCOPY . /bin/\nRUN test -f /bin/sh\n';
    const events = await eventsOf(bed.engine, plainBody(text, {context: hiding}));
    expect(events).toContainEqual(expect.objectContaining({kind: 'built'}));
  });

  test('an ignore file that is a pipe is refused, one that is a link is followed', async () => {
    const named = mkdtempSync(join(directory, 'named-'));
    const contexts = {named: {kind: 'directory', path: named}} as const;
    const text = 'FROM scratch\nCOPY --from=named . /\n';
    execFileSync('mkfifo', [join(named, '.dockerignore')]);
    await expect(filesOf(text, {contexts})).rejects.toThrow(`${named}/.dockerignore: it is not a regular file`);
    rmSync(join(named, '.dockerignore'));
    writeFileSync(join(named, 'rules'), 'hidden\n');
    writeFileSync(join(named, 'hidden'), '');
    symlinkSync('rules', join(named, '.dockerignore'));
    expect(readdirSync(await filesOf(text, {contexts})).sort()).toEqual(['.dockerignore', 'rules']);
  });

  test.each(['!', '['])('an ignore file with the pattern %s is told of as such', async (ignore) => {
    await expect(filesOf('FROM scratch\nCOPY . /\n', {context, ignore})).rejects.toThrow(
      `the ignore file of the context: "${ignore}" is not a pattern of paths`,
    );
  });

  test('a secret that is a pipe is refused', async () => {
    const secrets = [{id: 's', content: {path: join(context, 'pipe')}}];
    const body = plainBody('FROM busybox\nRUN --mount=type=secret,id=s true\n', {secrets});
    await expect(eventsOf(bed.engine, body)).rejects.toThrow('secret "s" from');
  });
});

describe('an archive', () => {
  type Entry = Partial<Header> & Pick<Header, 'name'> & {readonly content?: string};

  /** Builds from an archive with these entries; by default its Dockerfile copies all of it. */
  async function build(entries: readonly Entry[], dockerfile = 'Dockerfile'): Promise<string> {
    const tar = pack();
    for (const {content, ...header} of entries) tar.entry(header, content ?? '');
    tar.finalize();
    const path = mkdtempSync(join(directory, 'out-'));
    const {dockerfile: _text, ...body} = plainBody('');
    const request = {...body, dockerfile, outputs: [{kind: 'local', path}]} as const;
    for await (const _ of bed.engine.builds.buildArchive(request, tar as unknown as AsyncIterable<Uint8Array>));
    return path;
  }

  const all: Entry = {name: 'Dockerfile', content: 'FROM scratch\nCOPY . /\n'};
  const outside = join(directory, 'outside');

  test.each<readonly [string, readonly Entry[]]>([
    ['names that lead up', [{name: '../outside/made', content: 'x'}]],
    ['names from the root', [{name: `${outside}/made`, content: 'x'}]],
    [
      'links and names below them',
      [
        {name: 'link', type: 'symlink', linkname: outside},
        {name: 'link/made', content: 'x'},
      ],
    ],
    ['hard links to files of the machine', [{name: 'hard', type: 'link', linkname: `${outside}/file`}]],
    ['hard links that lead up', [{name: 'hard', type: 'link', linkname: '../outside/file'}]],
    [
      'hard links by links',
      [
        {name: 'link', type: 'symlink', linkname: outside},
        {name: 'hard', type: 'link', linkname: 'link/file'},
      ],
    ],
  ])('%s reach nothing of the machine', async (_name, entries) => {
    const files = await build([all, ...entries]).catch((error: unknown) => error);
    expect(readdirSync(outside)).toEqual(['file']);
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('of the machine');
    expect(lstatSync(join(outside, 'file')).nlink).toBe(1);
    if (files instanceof Error) return;
    const copied = readdirSync(String(files), {recursive: true, withFileTypes: true}).filter((entry) => entry.isFile());
    for (const {parentPath, name} of copied)
      expect(readFileSync(join(parentPath, name), 'utf8')).not.toBe('of the machine');
  });

  test('pipes and devices are never read', async () => {
    const pipe: Entry = {name: 'pipe', type: 'fifo'};
    const zero: Entry = {name: 'zero', type: 'character-device', devmajor: 1, devminor: 5};
    expect(readdirSync(await build([all, pipe, zero])).sort()).toEqual(['Dockerfile', 'pipe', 'zero']);
    for (const name of ['pipe', 'zero'])
      await expect(build([pipe, zero], name)).rejects.toThrow(
        `cannot read "${name}" of the archive: it is not a regular file`,
      );
  });

  test.each<readonly [string, readonly Entry[]]>([
    ['a link to a file of the machine', [{name: 'Dockerfile', type: 'symlink', linkname: `${outside}/file`}]],
    ['a directory', [{name: 'Dockerfile', type: 'directory'}]],
    ['endless', [{name: 'Dockerfile', content: '#'.repeat(5 * 1024 * 1024)}]],
  ])('a Dockerfile that is %s is refused', async (_name, entries) => {
    const refused = build(entries);
    await expect(refused).rejects.toThrow(/has no "Dockerfile"|it is a directory|it has more than 4194304 bytes/);
  });

  test('a Dockerfile outside the archive is none', async () => {
    await expect(build([all], '../../outside/file')).rejects.toThrow('has no "../../outside/file"');
  });
});
