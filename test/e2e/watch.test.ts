import {chmodSync, mkdirSync, rmSync, symlinkSync, unlinkSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {finish, read, runOf, someTime, startCommand, write, writesItsRun} from '../support/watching.ts';

/**
 * Where each promise of watching is kept end to end. The files beside this one are named by what follows `watch`.
 *
 * | action or setting | test |
 * |---|---|
 * | sync, restart, sync+restart, sync+exec (as its user and as another) | each action does its part in every replica |
 * | rebuild: images from the latest saves, builds that fail, --prune | -rebuild |
 * | rebuild without a build, refused by name and place before anything starts | -rules: rebuild without a build |
 * | initial_sync, for every sync action, before the container is started | below: what was saved while; -rules: only what is asked for; -stack: up --watch |
 * | include, ignore, the .dockerignore of a build, editors' files | -rules: include, ignore with exceptions |
 * | commands that fail, restarts that do not end well | -rules: only what is asked for; -stack: up --watch |
 *
 * | complaint | test |
 * |---|---|
 * | permissions, a user who is not root; a user without an entry | each action; -files: an image without a shell |
 * | an image without a shell, tar, rm | -files: an image without a shell |
 * | a stopped or crashed container: saves and deletes reach it, commands wait | what was saved while; a container that does not run |
 * | edits made while it was stopped, or nobody watched, or it was made anew | what was saved while |
 * | the first sync, directories that are missing | what was saved while; each action |
 * | links: as the rule's path, inside, to nothing; kinds that change; moved directories | -files: links, kinds that change |
 * | restart only; a path that a bind mount has already | each action; a path that a bind mount has |
 * | services that were not asked for are let be | -rules: only what is asked for |
 * | .git/index.lock and all else that git keeps; touches without a change | -rules: what git keeps for itself |
 * | limits of inotify, told with the sysctl, the use and the limit; watching goes on | -limits: at the limit of watches |
 * | lost events (IN_Q_OVERFLOW) | -limits: more changes than the kernel keeps |
 * | git checkout of 10,000 files; node_modules costs no watches | -storm |
 * | a batch that fails is whole, pending, and tried again | -files: what cannot be brought |
 * | the stack file, env files, .dockerignore: harmless changes applied, others asked about | -stack; -rules: include, ignore |
 * | a restart loop by the container's own writes is ended | a path that a bind mount has |
 * | dependents with `restart: true` follow | -rules: what git keeps for itself |
 */

const fast = 'image: busybox, stop_grace_period: 0s';
const idle = `${fast}, command: sleep 600`;

test('each action does its part in every replica, for a user who is not root', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: actions
services:
  api:
    image: busybox
    command: sh -c '${writesItsRun}; exec sleep 600'
    user: "1000"
    stop_grace_period: 0s
    scale: 2
    develop:
      watch:
        - {path: ./src, action: sync, target: /app/src, ignore: [node_modules, "*.tmp"]}
        - {path: ./settings.txt, action: sync+restart, target: /app/settings.txt}
        - {path: ./hooks, action: sync+exec, target: /hooks, exec: {command: [sh, -c, 'id -u > /tmp/ran; cat /hooks/x >> /tmp/ran; echo "$$WORD" >> /tmp/ran'], environment: {WORD: hello}}}
        - {path: ./as-root, action: sync+exec, target: /as-root, exec: {command: [sh, -c, 'id -u > /tmp/ran-as-root'], user: "0"}}
        - {path: ./only, action: restart}
`,
  );
  write(host, 'settings.txt', 'one');
  for (const directory of ['src/node_modules/deep', 'hooks', 'as-root', 'only'])
    mkdirSync(join(host.directory, directory), {recursive: true});
  await using watch = startCommand(host, ['watch']);
  await watch.says('watching 5 rules of api');
  await watch.says(/container actions-api-2 started/);

  // Made with the directories that it needs, owned by the container's user, with its mode.
  write(host, 'src/deep/er/a.sh', '#!/bin/sh\n');
  chmodSync(join(host.directory, 'src/deep/er/a.sh'), 0o750);
  write(host, 'src/b.tmp', 'ignored');
  write(host, 'src/node_modules/deep/c', 'ignored');
  symlinkSync('deep/er/a.sh', join(host.directory, 'src/link'));
  for (const index of [1, 2]) {
    await eventually(async () =>
      expect(
        await read(host, 'api', 'cd /app/src; find . | sort; stat -c "%U %a" deep/er/a.sh; readlink link', index),
      ).toBe('.\n./deep\n./deep/er\n./deep/er/a.sh\n./link\napp 750\ndeep/er/a.sh\n'),
    );
  }
  const begun = () => Promise.all([1, 2].map((index) => runOf(host, 'api', index)));
  const before = await begun();
  // Gone there too, directories with what is in them; the same content again is no change.
  rmSync(join(host.directory, 'src/deep'), {recursive: true});
  unlinkSync(join(host.directory, 'src/link'));
  await eventually(async () => expect(await read(host, 'api', 'ls -A /app/src', 2)).toBe(''));
  expect(await begun()).toEqual(before);

  write(host, 'settings.txt', 'two');
  await watch.says(
    new RegExp(
      String.raw`^api restarted ← settings\.txt, serving after ${someTime}: ${someTime} sync, .* to running$`,
      'm',
    ),
  );
  await eventually(async () => {
    const now = await begun();
    expect(now.every((time, index) => time !== before[index])).toBe(true);
    expect(await read(host, 'api', 'cat /app/settings.txt', 2)).toBe('two');
  });

  write(host, 'hooks/x', 'content\n');
  await watch.says(/^api-[12] ran "sh -c id -u > \/tmp\/ran;.*" ← hooks\/x, done after /m);
  await eventually(async () => expect(await read(host, 'api', 'cat /tmp/ran', 2)).toBe('1000\ncontent\nhello\n'));
  write(host, 'as-root/x', 'content');
  await eventually(async () => expect(await read(host, 'api', 'cat /tmp/ran-as-root')).toBe('0\n'));

  const last = await begun();
  write(host, 'only/x', '1');
  await watch.says(/^api restarted ← only\/x, /m);
  await eventually(async () => expect((await begun()).every((time, index) => time !== last[index])).toBe(true));

  expect(await watch.interrupt()).toBe(130);
  expect(watch.stderr()).toMatch(/^api: \d+ saves, save to visible p50 .* p95 .*; save to serving p50 /m);
  expect((await host.tscompose(['ps', '-q'])).stdout.trim().split('\n')).toHaveLength(2);
  await finish(host);
});

test('what was saved while a container was stopped or nobody watched is there when it counts', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: later
services:
  crashed:
    ${idle.replaceAll(', ', '\n    ')}
    develop: {watch: [{path: ./src, action: sync+restart, target: /app}]}
  first: {${idle}, develop: {watch: [{path: ./all, action: sync, target: /all, initial_sync: true}]}}
`,
  );
  write(host, 'src/old', 'from before the container');
  write(host, 'all/one', '1');
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  // After the container was made, before anybody watched.
  write(host, 'src/a', 'a');
  write(host, 'src/b', 'b');
  {
    await using watch = startCommand(host, ['watch']);
    await eventually(async () => {
      expect(await read(host, 'crashed', 'ls /app')).toBe('a\nb\n');
      expect(await read(host, 'first', 'cat /all/one')).toBe('1');
    });
    // A save reaches a container that does not run, and starts it.
    expect((await host.tscompose(['stop', '-t', '0', 'crashed'])).code).toBe(0);
    write(host, 'src/a', 'a2');
    await watch.says(/^crashed restarted ← src\/a, /m);
    await eventually(async () => expect(await read(host, 'crashed', 'cat /app/a')).toBe('a2'));
    expect(await watch.interrupt()).toBe(130);
  }
  // Nobody watches; one of the containers does not even run.
  expect((await host.tscompose(['stop', '-t', '0', 'first'])).code).toBe(0);
  write(host, 'src/a', 'a3');
  unlinkSync(join(host.directory, 'src/b'));
  write(host, 'all/two', '2');
  {
    await using watch = startCommand(host, ['watch', '--no-up']);
    await watch.says('first synced ← what it missed, ');
    await eventually(async () => expect(await read(host, 'crashed', 'ls /app; cat /app/a')).toBe('a\na3'));
    // Made anew by another command: it gets everything again, what was deleted is not there.
    expect((await host.tscompose(['up', '-d', '--force-recreate'])).code).toBe(0);
    await eventually(async () => {
      expect(await read(host, 'crashed', 'ls /app; cat /app/a')).toBe('a\na3');
      expect(await read(host, 'first', 'ls /all')).toBe('one\ntwo\n');
    });
    // Taken down by another command: there is nothing left to watch.
    expect((await host.tscompose(['down', '-t', '0'])).code).toBe(0);
    expect(await watch.exited).toBe(0);
    expect(watch.stderr()).toContain('watch ended: another command removed the containers');
  }
  await finish(host);
});

test('a path that a bind mount has already: nothing is synced, told once, and restarts that feed themselves are ended', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: bound
services:
  loop:
    image: busybox
    stop_grace_period: 0s
    command: sh -c 'sleep 0.1; test -e /app/go && cat /proc/sys/kernel/random/uuid > /app/written; exec sleep 600'
    volumes: ["./src:/app"]
    develop: {watch: [{path: ./src, action: sync+restart, target: /app}]}
`,
  );
  write(host, 'src/a', '1');
  await using watch = startCommand(host, ['watch']);
  await watch.says(
    'warning: compose.yaml:8:23: nothing is synced to "/app" of service "loop": a bind mount has it there already',
  );
  write(host, 'src/a', '2');
  await watch.says(new RegExp(`^loop restarted ← src/a, serving after ${someTime}: ${someTime} to running`, 'm'));
  expect(watch.stderr()).not.toContain('synced ←');
  write(host, 'src/go', '');
  await watch.says(
    /^loop suspended: sync\+restart ran 5 times in .*, each time set off by src\/written, which changes while it runs \(rule at compose\.yaml:8:23\)\nhint: add what the service writes to "ignore"/m,
    90_000,
  );
  unlinkSync(join(host.directory, 'src/go'));
  // Another path is a person's save.
  await watch.says('loop resumed ← src/go');
  const count = () => watch.stderr().match(/loop restarted/g)?.length ?? 0;
  const before = count();
  write(host, 'src/a', '3');
  await eventually(() => expect(count()).toBeGreaterThan(before));
  expect(watch.stderr().match(/nothing is synced/g)).toHaveLength(1);
  await watch.interrupt();
  await finish(host);
});

test('a container that does not run gets saves and deletes all the same; its command waits until it runs', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: stopped
services:
  api:
    image: busybox
    stop_grace_period: 0s
    command: sleep 600
    develop:
      watch:
        - {path: ./src, action: sync, target: /app}
        - {path: ./hooks, action: sync+exec, target: /hooks, exec: {command: [sh, -c, "cat /hooks/x >> /tmp/ran"]}}
  crashes:
    image: busybox
    command: sh -c 'test -e /app/fixed && exec sleep 600; exit 3'
    develop: {watch: [{path: ./src, action: sync+restart, target: /app}]}
    healthcheck: {test: [CMD, test, -e, /app/fixed], interval: 100ms, start_period: 60s, start_interval: 50ms}
`,
  );
  for (const directory of ['src', 'hooks']) mkdirSync(join(host.directory, directory));
  await using watch = startCommand(host, ['watch']);
  await watch.says(/container stopped-crashes-1 started/);
  write(host, 'src/deep/a', 'a');
  write(host, 'src/b', 'b');
  await eventually(async () => expect(await read(host, 'api', 'cat /app/deep/a /app/b')).toBe('ab'));
  let told = 0;
  /** Files of the `api synced` lines from there on, by what became of them. */
  const synced = (become: string) =>
    [
      ...watch
        .stderr()
        .slice(told)
        .matchAll(new RegExp(`^api synced ← .* (\\d+) ${become}\\b`, 'gm')),
    ].reduce((sum, [, count]) => sum + Number(count), 0);
  await eventually(() => expect(synced('written')).toBe(2));
  expect((await host.tscompose(['stop', 'api'])).code).toBe(0);
  told = watch.stderr().length;
  rmSync(join(host.directory, 'src/deep'), {recursive: true});
  write(host, 'src/b', 'changed');
  write(host, 'hooks/x', 'ran\n');
  // In one batch, or in several where this process stood still in between.
  await eventually(() => {
    expect(synced('written')).toBe(2);
    expect(synced('deleted')).toBeGreaterThan(0);
  });
  expect((await host.tscompose(['start', 'api'])).code).toBe(0);
  await eventually(async () => expect(await read(host, 'api', 'cat /tmp/ran /app/b; ls /app')).toBe('ran\nchangedb\n'));
  // What crashed for want of it runs once it is saved.
  write(host, 'src/fixed', '');
  await watch.says(/^crashes restarted ← src\/fixed, serving after /m);
  await eventually(async () => expect(await read(host, 'crashes', 'ls /app')).toContain('fixed'));
  expect(watch.stderr()).toMatch(new RegExp(`^crashes restarted ← .* to running, and ended after ${someTime}$`, 'm'));
  expect(watch.stderr()).not.toContain('failed');
  await watch.interrupt();
  await finish(host);
});
