import {lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {createImages} from '../../../src/engine/image/images.ts';
import {makeTar} from '../../support/archive.ts';
import {collect, dockerArchive, type ImageBed, makeImage, makeImageBed, stream} from './bed.ts';

let bed: ImageBed;
beforeEach(async () => {
  bed = await makeImageBed();
});
afterEach(() => bed[Symbol.asyncDispose]());

const one = makeImage({
  layers: [[{name: 'one', data: '1'}]],
  config: {Labels: {a: '1'}, Cmd: ['x']},
  created: '2025-01-01T00:00:00Z',
});
const two = makeImage({
  layers: [[{name: 'one', data: '1'}], [{name: 'two', data: '22'}]],
  created: '2025-02-01T00:00:00Z',
});
const loadBoth = () =>
  bed.load(
    dockerArchive([
      {image: one, tags: ['one:1', 'alias']},
      {image: two, tags: ['localhost:5000/two:2']},
    ]),
  );
const host = 'tscompose/host:latest';

test('a name that is given once more, to the image that it stands for already, counts as given now', async () => {
  await loadBoth();
  const record = bed.layout.images.reference('docker.io/library/one:1');
  utimesSync(record, 1000, 1000);
  const {mtimeMs: pinned, ino} = lstatSync(record);
  await bed.store.images.tag('alias', {repository: 'one', tag: '1'});
  expect(lstatSync(record).mtimeMs).toBeGreaterThan(pinned);
  // Nothing else of it is written.
  expect(lstatSync(record).ino).toBe(ino);
});

describe('finding an image', () => {
  test.each([
    'one:1',
    'docker.io/library/one:1',
    'library/one:1',
    'alias',
    one.id,
    one.id.slice(7),
    one.id.slice(7, 19),
    one.id.slice(0, 20),
  ])('by %s', async (text) => {
    await loadBoth();
    expect((await bed.store.images.inspect(text)).Id).toBe(one.id);
    expect(await bed.store.resolve(text)).toMatchObject({
      id: one.id,
      reference: text,
      os: 'linux',
      architecture: 'amd64',
      layers: one.diffIds,
    });
  });

  test('what is not there is named as Docker names it', async () => {
    const missing = async (text: string) =>
      await bed.store
        .resolve(text)
        .catch((error: {kind: string; message: string}) => `${error.kind}: ${error.message}`);
    expect(await missing('nope')).toBe('notFound: No such image: nope:latest');
    expect(await missing('nope:1')).toBe('notFound: No such image: nope:1');
    expect(await missing(`sha256:${'0'.repeat(64)}`)).toBe(`notFound: No such image: sha256:${'0'.repeat(64)}`);
    expect(await missing('UPPER')).toBe('invalid: invalid image name "UPPER": repository name must be lowercase');
  });

  test('a platform that does not fit', async () => {
    await loadBoth();
    expect((await bed.store.resolve('one:1', 'linux/amd64')).id).toBe(one.id);
    await expect(bed.store.resolve('one:1', 'linux/arm64')).rejects.toMatchObject({
      kind: 'notFound',
      message:
        'image with reference one:1 was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)',
    });
  });

  test('layers that somebody removed are named', async () => {
    await loadBoth();
    await bed.helper.request({
      kind: 'removeTree',
      root: bed.layout.images.layers,
      path: two.diffIds[1]?.slice(7) ?? '',
    });
    await expect(bed.store.root({id: two.id})).rejects.toMatchObject({
      kind: 'notFound',
      message: expect.stringContaining('is gone'),
    });
  });
});

describe('the list', () => {
  const names = async (filters: Record<string, string[]>) =>
    (await bed.store.images.list(filters)).flatMap(({RepoTags}) => RepoTags).filter((name) => name !== host);

  test('newest first, with sizes and labels, the built-in image among them', async () => {
    await loadBoth();
    const list = await bed.store.images.list();
    expect(list.map(({RepoTags, Size, Created, Labels}) => ({RepoTags, Size, Created, Labels}))).toEqual([
      {RepoTags: [host], Size: 0, Created: Date.UTC(2026, 0, 1) / 1000, Labels: null},
      {RepoTags: ['localhost:5000/two:2'], Size: 3, Created: Date.UTC(2025, 1, 1) / 1000, Labels: null},
      {RepoTags: ['alias:latest', 'one:1'], Size: 1, Created: Date.UTC(2025, 0, 1) / 1000, Labels: {a: '1'}},
    ]);
  });

  test.each([
    [{reference: ['one']}, ['one:1']],
    [{reference: ['one:*', 'alias']}, ['alias:latest', 'one:1']],
    [{reference: ['localhost:5000/*:2']}, ['localhost:5000/two:2']],
    [{reference: ['t*']}, []],
    [{label: ['a=1']}, ['alias:latest', 'one:1']],
    [{label: ['a=2']}, []],
    [{before: ['localhost:5000/two:2']}, ['alias:latest', 'one:1']],
    [{since: ['alias']}, ['localhost:5000/two:2']],
    [{until: ['2025-01-15T00:00:00Z']}, ['alias:latest', 'one:1']],
    [{until: ['2025-01-15T00:00:00Z', '2024-01-01']}, []],
    [{until: ['1h']}, ['localhost:5000/two:2', 'alias:latest', 'one:1']],
    [{since: ['alias'], before: ['one:1']}, []],
    [{reference: ['[no]ne:?', 'al\\ias']}, ['alias:latest', 'one:1']],
    [{reference: ['localhost:5000/[^a-s]*']}, ['localhost:5000/two:2']],
    [{dangling: ['true']}, []],
    [{dangling: ['f']}, ['localhost:5000/two:2', 'alias:latest', 'one:1']],
  ])('filtered by %j', async (filters, expected) => {
    await loadBoth();
    expect(await names(filters as Record<string, string[]>)).toEqual(expected);
  });

  test('refuses filters that do not exist', async () => {
    await expect(names({colour: ['red']})).rejects.toMatchObject({kind: 'invalid', message: `invalid filter 'colour'`});
    await loadBoth();
    await expect(names({dangling: ['maybe']})).rejects.toMatchObject({message: `invalid filter 'dangling=[maybe]'`});
    await expect(names({until: ['x']})).rejects.toMatchObject({
      message: 'failed to parse value as time or duration: "x"',
    });
    await expect(names({reference: ['[b']})).rejects.toMatchObject({message: 'syntax error in pattern'});
    await expect(names({before: ['nope']})).rejects.toMatchObject({
      kind: 'notFound',
      message: 'No such image: nope:latest',
    });
  });
});

describe('tags and removal', () => {
  test('a tag is one more name', async () => {
    await loadBoth();
    await bed.store.images.tag('one:1', {repository: 'ghcr.io/team/one', tag: 'stable'});
    await bed.store.images.tag(one.id, {repository: 'bare', tag: ''});
    expect((await bed.store.images.inspect('bare')).RepoTags).toEqual([
      'alias:latest',
      'bare:latest',
      'ghcr.io/team/one:stable',
      'one:1',
    ]);
    await expect(bed.store.images.tag('one:1', {repository: 'tscompose/host', tag: 'x'})).rejects.toMatchObject({
      kind: 'conflict',
    });
    await expect(bed.store.images.tag('one:1', {repository: 'sha256', tag: 'abc'})).rejects.toMatchObject({
      kind: 'invalid',
      message: 'refusing to create an ambiguous tag using digest algorithm as name',
    });
    await expect(bed.store.images.tag('nope', {repository: 'x', tag: 'y'})).rejects.toMatchObject({kind: 'notFound'});
  });

  test('the image goes with its last name, shared layers stay', async () => {
    await loadBoth();
    expect(await bed.store.images.remove('alias')).toEqual([{Untagged: 'alias:latest'}]);
    expect(await bed.store.images.remove('localhost:5000/two:2')).toEqual([
      {Untagged: 'localhost:5000/two:2'},
      {Deleted: two.id},
      {Deleted: two.diffIds[1]},
    ]);
    expect(bed.content().layers).toEqual([one.diffIds[0]?.slice(7)]);
    expect(await bed.store.images.remove('one:1')).toEqual([
      {Untagged: 'one:1'},
      {Deleted: one.id},
      {Deleted: one.diffIds[0]},
    ]);
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
    await expect(bed.store.images.remove('one:1')).rejects.toMatchObject({kind: 'notFound'});
  });

  test('by id, several names need force', async () => {
    await loadBoth();
    await expect(bed.store.images.remove(one.id)).rejects.toMatchObject({
      kind: 'conflict',
      message: `conflict: unable to delete ${one.id.slice(7, 19)} (must be forced) - image is referenced in multiple repositories`,
    });
    expect(await bed.store.images.remove(one.id.slice(7, 19), {force: true})).toEqual(
      expect.arrayContaining([{Untagged: 'one:1'}, {Untagged: 'alias:latest'}, {Deleted: one.id}]),
    );
  });

  test('an image with containers stays; with force it loses its name', async () => {
    await loadBoth();
    const short = two.id.slice(7, 19);
    bed.users.set(two.id, [{id: 'c'.repeat(64), running: false}]);
    await expect(bed.store.images.remove('localhost:5000/two:2')).rejects.toMatchObject({
      kind: 'conflict',
      message: `conflict: unable to remove repository reference "localhost:5000/two:2" (must force) - container cccccccccccc is using its referenced image ${short}`,
    });
    await expect(bed.store.images.remove(two.id)).rejects.toMatchObject({
      message: expect.stringContaining('(must be forced) - image is being used by stopped container cccccccccccc'),
    });
    bed.users.set(two.id, [{id: 'd'.repeat(64), running: true}]);
    await expect(bed.store.images.remove(two.id, {force: true})).rejects.toMatchObject({
      message: expect.stringContaining('(cannot be forced) - image is being used by running container dddddddddddd'),
    });
    expect(await bed.store.images.remove('localhost:5000/two:2', {force: true})).toEqual([
      {Untagged: 'localhost:5000/two:2'},
    ]);
    expect((await bed.store.root({id: two.id})).lowers).toHaveLength(2);
  });

  test('the built-in image stays', async () => {
    await expect(bed.store.images.remove('tscompose/host')).rejects.toMatchObject({kind: 'conflict'});
  });
});

describe('import of a root file system', () => {
  const tar = makeTar([
    {name: 'bin/', type: '5'},
    {name: 'bin/app', data: 'program'},
  ]);

  test.each([
    ['as it is', tar],
    ['compressed', gzipSync(tar)],
  ])('%s, with changes', async (_name, archive) => {
    const changes = [
      'CMD ["app", "-v"]',
      'env A=1 B="two words"',
      'EXPOSE 80 53/udp',
      'USER app',
      'WORKDIR /srv',
      'VOLUME /data',
      'LABEL x=y',
      'STOPSIGNAL SIGINT',
      'HEALTHCHECK --interval=2s --retries=3 CMD app check',
    ];
    const lines = await collect(
      bed.store.images.import(stream(archive), {repository: 'mine', tag: '1', changes, message: 'by hand'}),
    );
    const image = await bed.store.images.inspect('mine:1');
    expect(lines).toEqual([{status: image.Id}]);
    expect(image).toMatchObject({
      Created: '2026-01-02T03:04:05.000000000Z',
      Size: 7,
      Config: {
        Cmd: ['app', '-v'],
        Env: ['A=1', 'B=two words'],
        ExposedPorts: {'80/tcp': {}, '53/udp': {}},
        User: 'app',
        WorkingDir: '/srv',
        Volumes: {'/data': {}},
        Labels: {x: 'y'},
        StopSignal: 'SIGINT',
        Healthcheck: {Test: ['CMD-SHELL', 'app check'], Interval: 2e9, Retries: 3},
      },
    });
    const {lowers} = await bed.store.root({id: image.Id});
    expect(readFileSync(join(lowers[0] ?? '', 'bin/app'), 'utf8')).toBe('program');
  });

  test('a wrong change or archive leaves nothing', async () => {
    const attempt = (archive: Uint8Array, changes: string[]) =>
      collect(bed.store.images.import(stream(archive), {changes}));
    await expect(attempt(tar, ['RUN x'])).rejects.toMatchObject({
      kind: 'invalid',
      message: '"RUN x" is not a valid change',
    });
    await expect(attempt(tar, ['EXPOSE http'])).rejects.toMatchObject({kind: 'invalid'});
    await expect(attempt(Buffer.alloc(5000, 'x'), [])).rejects.toMatchObject({kind: 'invalid'});
    expect(bed.content()).toEqual({layers: [], blobs: [], records: [], references: []});
  });
});

describe('the built-in image', () => {
  const root = async (nodePath: string) => {
    const {layout, helper} = bed;
    const events = {append: async () => undefined};
    const store = createImages({
      layout,
      helper,
      events,
      now: Date.now,
      users: async () => [],
      nodePath,
      architecture: 'x64',
      concurrency: 1,
    });
    return await store.root(await store.resolve('tscompose/host'));
  };

  test("binds the machine's programs read-only over a small tree of its own", async () => {
    const {lowers, operations} = await root('/usr/bin/env');
    const tree = lowers[0] ?? '';
    expect(operations).toContainEqual({
      kind: 'bind',
      source: '/usr',
      target: '/usr',
      flags: 'rec,ro,nosuid,nodev,rprivate',
      create: '',
    });
    expect(
      operations.every((operation) => operation.kind === 'bind' && String(operation.flags).split(',').includes('ro')),
    ).toBe(true);
    for (const name of ['bin', 'sbin', 'lib']) {
      const there = lstatSync(`/${name}`);
      if (there.isSymbolicLink()) expect(readlinkSync(join(tree, name))).toBe(readlinkSync(`/${name}`));
      else expect(operations).toContainEqual(expect.objectContaining({source: `/${name}`, target: `/${name}`}));
    }
    expect(lstatSync(join(tree, 'tmp')).mode & 0o7777).toBe(0o1777);
    expect(readdirSync(join(tree, 'usr'))).toEqual([]);
    expect(readdirSync(join(tree, 'home'))).toEqual([]);
    expect(readFileSync(join(tree, 'etc/passwd'), 'utf8')).toMatch(/^root:x:0:0:/);
    // Every place that is bound exists in the tree, so that nothing is made in a container's own layer.
    for (const operation of operations) if (operation.kind === 'bind') lstatSync(join(tree, String(operation.target)));
    expect((await root('/usr/bin/env')).lowers).toEqual(lowers);
  });

  test('has a Node that lives elsewhere at /usr/local/bin/node', async () => {
    const node = join(bed.directory, 'home/.nvm/node');
    mkdirSync(join(bed.directory, 'home/.nvm'), {recursive: true});
    writeFileSync(node, 'node');
    const {lowers, operations} = await root(node);
    expect(operations).toContainEqual(expect.objectContaining({source: node, target: '/usr/local/bin/node'}));
    for (const operation of operations)
      if (operation.kind === 'bind' && operation.target !== '/usr/local/bin/node')
        lstatSync(join(lowers[0] ?? '', String(operation.target)));
    const whole = operations.some((operation) => operation.kind === 'bind' && operation.target === '/usr');
    if (!whole) {
      expect(operations).toContainEqual(expect.objectContaining({source: '/usr/bin', target: '/usr/bin'}));
      lstatSync(join(lowers[0] ?? '', 'usr/local/bin/node'));
    }
  });

  test('is the same image everywhere, found by its id', async () => {
    const {Id} = await bed.store.images.inspect('docker.io/tscompose/host:latest');
    expect((await bed.store.resolve(Id)).id).toBe(Id);
    expect((await bed.store.resolve(Id.slice(7, 19))).id).toBe(Id);
  });
});
