import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {inotifyWatches, startCommand} from '../support/watching.ts';

const fast = 'stop_grace_period: 0s';

test('a checkout of 10,000 files is one reconciliation; ignored directories cost no watches', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const repository = join(host.directory, 'code');
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: storm
services:
  api:
    image: busybox
    command: sleep 600
    ${fast}
    develop: {watch: [{path: ./code, action: sync, target: /code, ignore: ["**/node_modules"]}]}
`,
  );
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', '-c', 'gc.auto=0', ...args], {
      cwd: repository,
      stdio: 'ignore',
      env: {...process.env, HOME: host.directory},
    });
  mkdirSync(repository);
  writeFileSync(join(repository, 'branch'), 'main');
  for (let directory = 0; directory < 300; directory += 1) {
    const path = join(repository, `node_modules/p${directory}/lib`);
    mkdirSync(path, {recursive: true});
    writeFileSync(join(path, 'index.js'), '');
  }
  writeFileSync(join(repository, '.gitignore'), 'node_modules\n');
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-q', '-m', 'main');
  git('checkout', '-q', '-b', 'many');
  for (let directory = 0; directory < 100; directory += 1) {
    mkdirSync(join(repository, `d${directory}`));
    for (let file = 0; file < 100; file += 1)
      writeFileSync(join(repository, `d${directory}/f${file}`), `${directory} ${file}`);
  }
  git('add', '.');
  git('commit', '-q', '-m', 'many');
  git('checkout', '-q', 'main');

  await using watch = startCommand(host, ['--progress', 'json', 'watch']);
  await eventually(() => expect(watch.events('watchReady')).toHaveLength(1));
  // The container is there before anything is saved.
  await eventually(() => expect(watch.events('summary')).toHaveLength(1));
  // The tree's few directories, the stack's files, the engine's own journal: not 600 ignored directories.
  expect(inotifyWatches(watch.pid)).toBeLessThan(40);

  git('checkout', '-q', 'many');
  await eventually(() => expect(watch.events('watchSynced')).not.toHaveLength(0), 120_000);
  const inContainer = async (command: string) =>
    (await host.tscompose(['exec', '-T', 'api', 'sh', '-c', command], {timeoutMs: 60_000})).stdout;
  expect(
    await inContainer('find /code -type f | wc -l; cat /code/d99/f99; ls -A /code | grep -c -e node_modules -e .git$'),
  ).toBe('10000\n99 990\n');
  expect(watch.events('watchBatch')).toMatchObject([{storm: true, services: ['api'], changes: 10_100}]);
  expect(watch.events('watchSynced')).toMatchObject([{written: 10_000, deleted: 0}]);

  git('checkout', '-q', 'main');
  await eventually(async () => expect(await inContainer('ls /code')).toBe(''), 120_000);
  // It is told after it was done.
  await eventually(() => expect(watch.events('watchSynced')).toHaveLength(2));
  expect(inotifyWatches(watch.pid)).toBeLessThan(40);

  // There and back again before it is quiet: the content is as it was, and nothing is done.
  git('checkout', '-q', 'many');
  git('checkout', '-q', 'main');
  rmSync(join(repository, 'branch'));
  await eventually(() => expect(watch.events('watchSynced').length).toBeGreaterThan(2), 120_000);
  await watch.interrupt();
  expect(watch.events('watchEnded')).toMatchObject([{reason: 'interrupted'}]);
  expect((await host.tscompose(['down', '-t', '0'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
}, 600_000);
