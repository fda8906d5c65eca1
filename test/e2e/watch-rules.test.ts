import {execFileSync} from 'node:child_process';
import {mkdirSync, renameSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {finish, read, runOf, startCommand, write, writesItsRun} from '../support/watching.ts';

const idle = 'image: busybox, stop_grace_period: 0s, command: sleep 600';

test('rebuild without a build is refused by name and place before anything starts, by watch and by up --watch', async () => {
  await using host = await makeHost();
  write(
    host,
    'compose.yaml',
    `name: rebuild
services:
  api:
    image: busybox
    develop:
      watch:
        - {path: ./src, action: sync, target: /app}
        - {path: ./package.json, action: rebuild}
`,
  );
  for (const args of [['watch'], ['up', '--watch']]) {
    const {code, stderr} = await host.tscompose(args);
    expect(code).toBe(65);
    expect(stderr).toContain('service "api": watch action "rebuild" has nothing to build: the service has no "build"');
    expect(stderr).toContain('compose.yaml:8:');
    expect(stderr).toContain('add "build: ." to the service');
  }
  expect(host.leftovers()).toEqual([]);
});

test('include, ignore with exceptions, the .dockerignore of a build and editors: only what counts is synced', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: counts
services:
  api:
    build: ./context
    stop_grace_period: 0s
    command: sleep 600
    develop:
      watch:
        - {path: ./code, action: sync, target: /code, ignore: ["*.log", "!keep.log", "**/cache"]}
        - {path: ./only, action: sync, target: /only, include: ["*.html", "css/**"]}
        - {path: ./context/src, action: sync, target: /built}
`,
  );
  write(host, 'context/Dockerfile', 'FROM busybox\n');
  write(host, 'context/.dockerignore', '# not for the image\nsrc/secret*\n**/*.md\n');
  for (const directory of ['code/deep/cache', 'only/css', 'context/src'])
    mkdirSync(join(host.directory, directory), {recursive: true});
  await using watch = startCommand(host, ['watch']);
  await watch.says(/container counts-api-1 started/);
  const listed = (directory: string) => read(host, 'api', `cd ${directory} && find . -type f | sort | xargs`);

  for (const file of ['a.log', 'keep.log', 'deep/b.log', 'deep/cache/c', '.a.txt.swp', 'a.txt~', 'a.txt'])
    write(host, `code/${file}`, file);
  await eventually(async () => expect(await listed('/code')).toBe('./a.txt ./deep/b.log ./keep.log\n'));
  for (const file of ['index.html', 'index.txt', 'css/deep/a.css', 'js/a.js']) write(host, `only/${file}`, file);
  await eventually(async () => expect(await listed('/only')).toBe('./css/deep/a.css ./index.html\n'));
  for (const file of ['secret.txt', 'notes.md', 'main.txt']) write(host, `context/src/${file}`, file);
  await eventually(async () => expect(await listed('/built')).toBe('./main.txt\n'));

  // What the file leaves out follows the file; what was synced before stays.
  write(host, 'context/.dockerignore', '**/*.md\n');
  await watch.says('stack ← context/.dockerignore: nothing to change');
  await eventually(async () => expect(await listed('/built')).toBe('./main.txt ./secret.txt\n'));
  await watch.interrupt();
  await finish(host);
});

test('only what is asked for is started and watched; initial_sync counts for sync+exec too', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: chosen
services:
  api: {${idle}, develop: {watch: [{path: ./api, action: sync+exec, target: /api, initial_sync: true, exec: {command: [sh, -c, "cat /api/a >> /tmp/ran; exit 3"]}}]}}
  other: {${idle}, develop: {watch: [{path: ./other, action: sync, target: /other, initial_sync: true}]}}
`,
  );
  write(host, 'api/a', 'first\n');
  write(host, 'other/a', 'other');
  await using watch = startCommand(host, ['watch', 'api']);
  await watch.says('watching 1 rule of api: ');
  // A command that fails is told with what it said; watching goes on.
  await watch.says(/^api-1 ran "sh -c cat .*" ← .*, failed with exit code 3$/m);
  write(host, 'other/a', 'changed');
  write(host, 'api/a', 'second\n');
  await eventually(async () => expect(await read(host, 'api', 'cat /tmp/ran')).toBe('first\nsecond\n'));
  expect((await host.tscompose(['ps', '-a', '--format', 'json'])).stdout).not.toContain('chosen-other-1');
  expect(watch.stderr()).not.toContain('other');

  const {code, stderr} = await host.tscompose(['watch', 'nobody']);
  expect(code).toBe(1);
  expect(stderr).toContain('no such service: "nobody"');
  await watch.interrupt();
  await finish(host);
});

test("what git keeps for itself and a touch without a change set nothing off; a restart's followers follow", async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: quiet
services:
  api:
    image: busybox
    stop_grace_period: 0s
    command: sh -c '${writesItsRun}; exec sleep 600'
    develop: {watch: [{path: ., action: sync+restart, target: /work, ignore: [compose.yaml]}]}
  after:
    image: busybox
    stop_grace_period: 0s
    command: sh -c '${writesItsRun}; exec sleep 600'
    depends_on: {api: {condition: service_started, restart: true}}
`,
  );
  write(host, 'a', '1');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', '-c', 'gc.auto=0', ...args], {
      cwd: host.directory,
      stdio: 'ignore',
      env: {...process.env, HOME: host.directory},
    });
  git('init', '-q', '-b', 'main');
  await using watch = startCommand(host, ['--progress', 'json', 'watch']);
  await eventually(() => expect(watch.events('summary')).toHaveLength(1));
  const begun = async (service: string) => runOf(host, service);
  const before = [await begun('api'), await begun('after')];

  git('add', '.');
  git('commit', '-q', '-m', 'one');
  git('checkout', '-q', '-b', 'two');
  utimesSync(join(host.directory, 'a'), new Date(), new Date());
  writeFileSync(join(host.directory, '../new'), '1');
  renameSync(join(host.directory, '../new'), join(host.directory, 'a'));
  // Something to wait for: what came before it has been looked at by then.
  write(host, 'c', 'c');
  await eventually(() => expect(watch.events('watchRestarted')).toHaveLength(1));
  expect(watch.events('watchSynced')).toMatchObject([{written: 1, deleted: 0}]);
  await eventually(async () => {
    const now = [await begun('api'), await begun('after')];
    expect(now.every((time, index) => time !== before[index])).toBe(true);
  });
  expect(await read(host, 'api', 'ls -A /work | xargs')).toBe('c\n');
  await watch.interrupt();
  await finish(host);
});
