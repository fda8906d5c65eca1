import {expect, test} from 'vitest';
import {eventually, makeHost} from '../support/host.ts';
import {openTerminal} from '../support/terminal.ts';
import {loadImages} from '../support/test-images.ts';
import {finish, read, someTime, startCommand, write} from '../support/watching.ts';

const rule = 'develop: {watch: [{path: ./src, action: sync, target: /app}]}';
const service = (settings: string) =>
  `{image: busybox, stop_grace_period: 0s, command: sleep 600${settings === '' ? '' : `, ${settings}`}}`;
const stack = (services: Readonly<Record<string, string>>) =>
  `name: stack\nservices:\n${Object.entries(services)
    .map(([name, settings]) => `  ${name}: ${service(settings)}\n`)
    .join('')}`;

test('the stack file and env files are followed: harmless changes are applied, others wait for a person', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const save = (services: Readonly<Record<string, string>>) => write(host, 'compose.yaml', stack(services));
  const api = (more = '') => `${rule}, env_file: api.env${more}`;
  write(host, 'api.env', 'WORD=one\n');
  write(host, 'src/a', 'a');
  write(host, 'lib/b', 'b');
  save({api: api(), other: ''});
  await using watch = startCommand(host, ['watch']);
  await watch.says(/container stack-api-1 started/);
  const word = () => read(host, 'api', 'echo $WORD');
  expect(await word()).toBe('one\n');
  write(host, 'src/a', 'saved');
  await eventually(async () => expect(await read(host, 'api', 'cat /app/a')).toBe('saved'));

  // A variable file: the container is made anew, what was synced comes along, the other one is let be.
  write(host, 'api.env', 'WORD=two\n');
  await watch.says(/^stack ← api\.env: applying\n {2}recreates container stack-api-1: .*environment/m);
  await watch.says('stack ← api.env: applied');
  await eventually(async () => {
    expect(await word()).toBe('two\n');
    expect(await read(host, 'api', 'cat /app/a')).toBe('saved');
  });
  expect(watch.stderr()).not.toContain('stack-other-1 recreated');

  // A comment changes nothing; a mistake is told with its place, and the stack that runs goes on.
  write(host, 'compose.yaml', `# a comment\n${stack({api: api(), other: ''})}`);
  await watch.says('stack ← compose.yaml: nothing to change');
  save({api: api(', imagee: x'), other: ''});
  await watch.says('stack ← compose.yaml: cannot be loaded, the stack stays as it was');
  await watch.says(/compose\.yaml:3:.*imagee/s);
  write(host, 'src/a', 'saved again');
  // Other commands cannot read the stack either, so that it is seen by what is told.
  const synced = () => watch.stderr().match(/^api synced ← src\/a, 1 written, .*$/gm);
  await eventually(() => expect(synced()).toHaveLength(2));
  expect(synced()?.at(-1)).toContain('visible after');

  // A rule that cannot be followed is a mistake too.
  save({api: 'develop: {watch: [{path: ./src, action: rebuild}]}', other: ''});
  await watch.says('watch action "rebuild" has nothing to build');
  // Another rule counts from now on, and a service more is started.
  save({api: api().replace('./src', './lib').replace('/app', '/lib2'), other: '', third: ''});
  await watch.says('container stack-third-1 started');
  await watch.says(/watching 1 rule of api: .*watching 1 rule of api: /s);
  write(host, 'lib/b', 'b changed');
  await eventually(async () => expect(await read(host, 'api', 'cat /lib2/b')).toBe('b changed'));

  // A service that left the file keeps its container until a person says otherwise: nobody is at a terminal here.
  save({api: api().replace('./src', './lib').replace('/app', '/lib2'), third: ''});
  await watch.says(
    /^stack ← compose\.yaml: not applied by itself\n {2}removes container stack-other-1: .*\nhint: apply it with "tscompose up -d --remove-orphans"$/m,
  );
  expect((await host.tscompose(['ps', '--format', 'json'])).stdout).toContain('stack-other-1');
  expect(await read(host, 'api', 'cat /lib2/b')).toBe('b changed');
  await watch.interrupt();
  await finish(host);
});

test('up --watch watches while logs are followed; a restart is told with the time from save to serving', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  write(
    host,
    'compose.yaml',
    `name: attached
services:
  web:
    image: busybox
    stop_grace_period: 0s
    command: sh -c 'cat /www/index.html; exec httpd -f -p 8000 -h /www'
    develop: {watch: [{path: ./www, action: sync+restart, target: /www, initial_sync: true}]}
    healthcheck: {test: [CMD, wget, -qO-, "http://127.0.0.1:8000/index.html"], interval: 100ms, start_period: 10s, start_interval: 50ms}
  weak:
    image: busybox
    stop_grace_period: 0s
    command: sh -c 'test ! -e /app/broken || exit 7; exec sleep 600'
    develop: {watch: [{path: ./app, action: sync+restart, target: /app}]}
    healthcheck: {test: [CMD, "false"], interval: 100ms, start_period: 60s}
`,
  );
  write(host, 'www/index.html', 'first page\n');
  write(host, 'app/a', 'a');
  await using up = startCommand(host, ['up', '--watch']);
  await eventually(() => expect(up.stdout()).toMatch(/^web-1 +\| first page$/m));
  write(host, 'www/index.html', 'second page\n');
  await up.says(
    new RegExp(
      String.raw`^web restarted ← www/index\.html, serving after ${someTime}: ${someTime} sync, ${someTime} to healthy$`,
      'm',
    ),
  );
  await eventually(() => expect(up.stdout()).toMatch(/^web-1 +\| second page$/m));
  write(host, 'www/index.html', 'third page\n');
  await up.says(new RegExp(`^web restarted ← .* to healthy; of 2 saves p50 ${someTime}, p95 ${someTime}$`, 'm'));

  // A restart that does not end well is told as such.
  write(host, 'app/broken', '');
  await up.says(
    new RegExp(
      `^weak restarted ← app/broken, ${someTime} sync, ${someTime} to running, and ended after ${someTime}$`,
      'm',
    ),
  );
  expect(await up.interrupt()).toBe(130);
  expect(up.stderr()).toMatch(
    new RegExp(String.raw`^web: \d saves, save to visible p50 ${someTime}, p95 ${someTime}; save to serving p50 `, 'm'),
  );
  // Ctrl-C stopped the stack, as it does without watching.
  expect((await host.tscompose(['ps', '-q'])).stdout).toBe('');
  await finish(host);
});

test('at a terminal a person is asked about what takes something away, and what they say is done', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const save = (services: Readonly<Record<string, string>>) => write(host, 'compose.yaml', stack(services));
  save({api: rule, one: '', two: ''});
  write(host, 'src/a', 'a');
  {
    await using terminal = openTerminal(host, {columns: 100, rows: 50});
    terminal.type('tscompose watch\r');
    await terminal.shows(/container stack-two-1 started/);
    save({api: rule, two: ''});
    await terminal.shows(/removes container stack-one-1: .*\napply it\? \[y\/N, then enter\]/);
    terminal.type('n\r');
    await terminal.shows(/apply it\? \[y\/N, then enter\]\s+n/);
    expect((await host.tscompose(['ps', '-a', '--format', 'json'])).stdout).toContain('stack-one-1');
    // Another save, another question; an older one that was not answered is over.
    save({api: rule});
    await terminal.shows(/removes container stack-two-1: .*\napply it\? \[y\/N, then enter\]\s*$/);
    save({api: `${rule}, environment: {WORD: one}`});
    await terminal.shows(
      /recreates container stack-api-1.*removes container stack-two-1: .*\napply it\? \[y\/N, then enter\]\s*$/s,
    );
    terminal.type('y\r');
    await terminal.shows(/container stack-two-1 removed/);
    await eventually(async () => expect(await read(host, 'api', 'echo $WORD')).toBe('one\n'));
    terminal.type('\x03');
  }
  await finish(host);
});
