import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {makeTar} from '../support/archive.ts';
import {makeHost, type TestHost} from '../support/host.ts';
import {readTar} from '../support/read-tar.ts';
import {loadImages} from '../support/test-images.ts';

let host: TestHost;

beforeEach(async () => {
  host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    here('compose.yaml'),
    `name: copies
services:
  web: {image: busybox, network_mode: none, stop_grace_period: 0s, command: sleep 600}
  two: {image: busybox, network_mode: none, stop_grace_period: 0s, command: sleep 600, user: nobody, scale: 2}
`,
  );
});
afterEach(async () => {
  expect(await run('down')).toMatchObject({code: 0});
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

const here = (path: string) => join(host.directory, path);
const run = (...args: readonly string[]) => host.tscompose(args);
async function copy(...args: readonly string[]): Promise<void> {
  expect(await run('cp', ...args)).toMatchObject({code: 0, stdout: '', stderr: ''});
}
/** What a command prints in a service. */
async function inside(service: string, script: string): Promise<string> {
  const {code, stdout, stderr} = await run('exec', '-T', service, 'sh', '-c', script);
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  return stdout;
}

test('files go in and out as docker cp has it, from running and stopped containers', async () => {
  expect(await run('up', '-d', 'web')).toMatchObject({code: 0});
  mkdirSync(here('src/sub'), {recursive: true});
  writeFileSync(here('src/a'), 'one', {mode: 0o640});
  writeFileSync(here('src/sub/b'), 'two');
  symlinkSync('a', here('src/l'));

  await copy('src', 'web:/new');
  await copy('src', 'web:/new');
  await copy('src/.', 'web:/tmp');
  await copy('src/a', 'web:/tmp/renamed');
  await copy('src/l', 'web:/tmp/link');
  await copy('-L', 'src/l', 'web:/tmp/file');
  expect(await inside('web', 'cd /new; find . | sort; readlink l; readlink src/l; cat src/sub/b')).toBe(
    '.\n./a\n./l\n./src\n./src/a\n./src/l\n./src/sub\n./src/sub/b\n./sub\n./sub/b\na\na\ntwo',
  );
  expect(await inside('web', 'cd /tmp; cat a renamed file; readlink l; readlink link; stat -c %a a')).toBe(
    'oneoneonea\na\n640\n',
  );

  await copy('web:/new', '.');
  await copy('web:/new', 'other');
  await copy('web:/new/.', 'other/deeper');
  await copy('web:/new/l', 'link');
  await copy('-L', 'web:/new/l', 'followed');
  await copy('web:new/sub/b', 'src/a');
  expect(readdirSync(here('other'), {recursive: true})).toEqual(
    expect.arrayContaining(['a', 'l', 'sub', 'sub/b', 'src/sub/b', 'deeper/a', 'deeper/sub/b']),
  );
  expect(readFileSync(here('new/sub/b'), 'utf8')).toBe('two');
  expect(readlinkSync(here('link'))).toBe('a');
  expect(readFileSync(here('followed'), 'utf8')).toBe('one');
  expect(readFileSync(here('src/a'), 'utf8')).toBe('two');
  expect((lstatSync(here('new/a')).mode & 0o777).toString(8)).toBe('640');

  expect(await run('stop', 'web')).toMatchObject({code: 0});
  await copy('web:/tmp/a', 'stopped');
  expect(readFileSync(here('stopped'), 'utf8')).toBe('one');
  await copy('stopped', 'web:/put-while-stopped');
  expect(await run('start', 'web')).toMatchObject({code: 0});
  expect(await inside('web', 'cat /put-while-stopped')).toBe('one');
});

test('an archive is read from standard input and written to standard output', async () => {
  expect(await run('up', '-d', 'web')).toMatchObject({code: 0});
  const archive = makeTar([{name: 'd/f', data: 'content', uid: 5, gid: 6}]);
  const put = await host.tscompose(['cp', '-', 'web:/tmp'], {input: archive});
  expect(put).toMatchObject({code: 0, stdout: '', stderr: ''});
  expect(await inside('web', 'cat /tmp/d/f; stat -c %u:%g /tmp/d/f')).toBe('content5:6\n');
  const {code, stdout} = await run('cp', 'web:/tmp/d', '-');
  expect(code).toBe(0);
  expect(await readTar(Buffer.from(stdout))).toMatchObject({
    'd/': {type: 'directory'},
    'd/f': {text: 'content', uid: 5, gid: 6},
  });
  expect(await host.tscompose(['cp', '-', 'web:/tmp/d/f'], {input: archive})).toMatchObject({
    code: 65,
    stderr: expect.stringContaining('cannot unpack standard input to "copies-web-1:/tmp/d/f": it must be a directory'),
  });
});

test('a device or a pipe is no file of this machine: alone it is refused, among others left out', async () => {
  expect(await run('up', '-d', 'web')).toMatchObject({code: 0});
  await inside('web', 'mkdir /tmp/d; mkfifo /tmp/d/pipe; echo 1 > /tmp/d/file');
  expect(await run('cp', 'web:/tmp/d/pipe', '.')).toMatchObject({
    code: 65,
    stderr: expect.stringContaining('cannot copy "/tmp/d/pipe": it is a device or a pipe'),
  });
  expect(await run('cp', 'web:/tmp/d', '.')).toMatchObject({
    code: 0,
    stderr: 'warning: left out "d/pipe": a device or a pipe\n',
  });
  expect(readdirSync(here('d'))).toEqual(['file']);
});

test('replicas all get what is copied in, and the first or the named one gives', async () => {
  expect(await run('up', '-d', 'two')).toMatchObject({code: 0});
  writeFileSync(here('f'), 'all');
  writeFileSync(here('g'), 'one');
  await copy('-a', 'f', 'two:/tmp/');
  await copy('--index', '2', 'g', 'two:/tmp/f');
  await copy('two:/tmp/f', 'from-first');
  await copy('--index', '2', 'two:/tmp/f', 'from-second');
  expect([readFileSync(here('from-first'), 'utf8'), readFileSync(here('from-second'), 'utf8')]).toEqual(['all', 'one']);
  expect(await inside('two', 'stat -c %U /tmp/f')).toBe('nobody\n');
  expect(await run('cp', '--index', '3', 'f', 'two:/')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no replica 3'),
  });
  const input = makeTar([{name: 'x'}]);
  expect(await host.tscompose(['cp', '-', 'two:/tmp'], {input})).toMatchObject({code: 64});
});

test('what makes no sense is refused, and nothing is changed', async () => {
  expect(await run('up', '--no-start', 'web')).toMatchObject({code: 0});
  mkdirSync(here('dir'));
  writeFileSync(here('file'), 'kept');
  const cases: readonly [readonly string[], number, string][] = [
    [['web:/etc', 'two:/etc'], 64, 'not between services'],
    [['dir', 'file'], 64, 'neither the source nor the destination names a service'],
    [['web:/etc'], 64, 'cp needs a source and a destination'],
    [['nothing', 'web:/'], 1, 'cannot copy "nothing": there is no such file'],
    [['file/', 'web:/'], 65, 'cannot copy "file/"'],
    [['dir', 'web:/bin/busybox'], 65, 'cannot copy a directory to "/bin/busybox": it is a file'],
    [['file', 'web:/no/'], 1, 'cannot copy to "/no/": there is no such directory'],
    [['file', 'web:/no/such'], 1, 'Could not find the file /no in container copies-web-1'],
    [['web:/no', '.'], 1, 'Could not find the file /no in container copies-web-1'],
    [['web:', '.'], 64, 'the source "web:" has no path'],
    [['', 'web:/tmp'], 64, 'the source "" has no path'],
    [['web:/etc', ''], 64, 'the destination "" has no path'],
    [['web:/etc', 'file'], 65, 'it is a file'],
    [['web:/bin/busybox', 'no/such'], 1, `the directory "${here('no')}" does not exist`],
    [['web:/bin/busybox', 'no/'], 1, 'there is no such directory'],
    [['wbe:/bin/busybox', '.'], 1, 'no such service: "wbe"'],
    [['two:/bin/busybox', '.'], 1, 'service "two" has no container'],
  ];
  for (const [args, code, message] of cases) {
    const result = await run('cp', ...args);
    expect({args, ...result}).toMatchObject({code, stdout: '', stderr: expect.stringContaining(message)});
  }
  expect(readFileSync(here('file'), 'utf8')).toBe('kept');
  expect(readdirSync(host.directory).filter((name) => name.startsWith('.tscompose-cp'))).toEqual([]);
  expect(existsSync(here('no'))).toBe(false);
  // A path with a colon is meant as one of this machine where it begins with a dot.
  writeFileSync(here('a:b'), 'colon');
  await copy('./a:b', 'web:/tmp/');
  await copy('web:/tmp/a:b', './back:again');
  expect(readFileSync(here('back:again'), 'utf8')).toBe('colon');
});
