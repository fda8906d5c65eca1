import {mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {openTerminal} from './terminal-session.ts';

const plain = {image: 'busybox', stop_grace_period: '0s', network_mode: 'none', command: ['sleep', '100000']};

async function stackHost(services: Readonly<Record<string, object>>): Promise<TestHost> {
  const host = await makeHost();
  try {
    await loadImages(host, ['busybox']);
    write(host, services);
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

function write(host: TestHost, services: Readonly<Record<string, object>>): void {
  writeFileSync(join(host.directory, 'compose.yaml'), JSON.stringify({name: 'shop', services}, undefined, 2));
}

async function down(host: TestHost): Promise<void> {
  expect(await host.tscompose(['down', '-v', '-t', '0', '--remove-orphans'])).toMatchObject({code: 0});
  expect(host.leftovers()).toEqual([]);
}

test('a change of the stack file is seen, shown as a plan and applied', async () => {
  const web = {...plain, environment: {LOG_LEVEL: 'info'}};
  await using host = await stackHost({web});
  expect(await host.tscompose(['up', '-d'])).toMatchObject({code: 0});
  {
    await using terminal = await openTerminal(host);
    terminal.type('tscompose ui\n');
    await terminal.shows('1/1 up');
    expect(terminal.screen()).not.toContain('pending');
    write(host, {web: {...web, environment: {LOG_LEVEL: 'debug'}}, mail: plain});
    await terminal.shows('± 2 changes pending (p)');
    await terminal.shows(/mail ± +○ missing/);
    terminal.keys('p');
    await terminal.shows('─ plan ─');
    await terminal.shows(/± web +recreate 1 container/);
    await terminal.shows(/environment\.LOG_LEVEL +info → debug +compose\.yaml:\d+/);
    await terminal.shows(/\+ mail +create 1 container/);
    terminal.keys('a');
    await terminal.shows(/✓ tscompose up -d +done/);
    await terminal.shows('2/2 up');
    await terminal.hides('pending');
    await terminal.shows('web');
    terminal.keys('v');
    await terminal.shows('the stack file was read anew');
    terminal.keys('Escape');
    await terminal.hides('─ events ─');
    // One that cannot be read says what is wrong with it, and can be put right.
    write(host, {web: {...plain, ports: 7}});
    await terminal.shows('✗ stack file has errors (p)');
    terminal.keys('p');
    await terminal.shows('services.web.ports');
    terminal.keys('Escape');
    write(host, {web: plain, mail: plain});
    await terminal.shows('± 1 change pending (p)');
  }
  const {stdout} = await host.tscompose(['ps', '--services']);
  expect(stdout.split('\n').sort()).toEqual(['', 'mail', 'web']);
  await down(host);
});

test('up --ui shows the stack coming up, and leaves it running', async () => {
  const probed = {test: ['CMD-SHELL', 'test -e /ready'], interval: '100ms', retries: 100};
  await using host = await stackHost({
    db: {...plain, command: ['sh', '-c', 'sleep 1; touch /ready; exec sleep 100000'], healthcheck: probed},
    web: {...plain, depends_on: {db: {condition: 'service_healthy'}}},
  });
  {
    await using terminal = await openTerminal(host);
    terminal.type('tscompose up --ui; echo "ended $?"\n');
    await terminal.shows('tscompose up -d');
    await terminal.shows(/db +(◐ starting|● running)/);
    await terminal.shows('2/2 up');
    await terminal.shows(/✓ tscompose up -d +done/);
    terminal.keys('q');
    await terminal.shows('ended 0');
  }
  const {stdout} = await host.tscompose(['ps', '--services', '--status', 'running']);
  expect(stdout.split('\n').sort()).toEqual(['', 'db', 'web']);
  await down(host);
});

test('fifty services: the table scrolls, trouble is found, all of them can be searched', async () => {
  const speaking = (index: number) => ({
    ...plain,
    command: ['sh', '-c', `echo "hello from number ${index}"; ${index === 37 ? 'exit 3' : 'exec sleep 100000'}`],
  });
  const names = Array.from({length: 50}, (_, index) => `service-${String(index + 1).padStart(2, '0')}`);
  await using host = await stackHost(Object.fromEntries(names.map((name, index) => [name, speaking(index + 1)])));
  expect(await host.tscompose(['up', '-d'])).toMatchObject({code: 0});
  {
    await using terminal = await openTerminal(host, {columns: 120, rows: 40});
    terminal.type('tscompose ui\n');
    await terminal.shows('49/50 up');
    await terminal.shows('✗ service-37 exited 3');
    await terminal.shows(/^ ↓\d+ /m);
    terminal.keys('End');
    await terminal.shows(/^▸service-50 +● running/m);
    await terminal.shows(/^ ↑\d+ /m);
    terminal.keys('/');
    terminal.type('number 37');
    // What comes after it was typed is counted, and found by the next key.
    await terminal.shows(/number 37 \(1( of 1)?\)/);
    terminal.keys('Enter', 'n');
    await terminal.shows('(1 of 1)');
    await terminal.shows('hello from number 37');
    await terminal.shows('service-37');
    terminal.resize(40, 12);
    await terminal.shows(/^ shop +◐ 49\/50 up/);
  }
  await down(host);
});

test('a build is shown whole while it goes on, and afterwards', async () => {
  // Until a file comes into its cache.
  const wait = 'RUN --mount=type=cache,target=/c until [ -e /c/go ]; do sleep 0.05; done; exit $(cat /c/go)';
  const web = {...plain, build: {context: 'web'}, image: 'shop-web:1'};
  await using host = await stackHost({web});
  mkdirSync(join(host.directory, 'web'));
  const dockerfile = (last: string) =>
    writeFileSync(
      join(host.directory, 'web/Dockerfile'),
      `FROM busybox\nWORKDIR /srv\nRUN echo first\nRUN echo second line of it; echo third\n${last}\n`,
    );
  dockerfile('RUN true');
  expect(await host.tscompose(['build'])).toMatchObject({code: 0});
  expect(await host.tscompose(['engine', 'rmi', 'shop-web:1'])).toMatchObject({code: 0});
  dockerfile(`${wait.replace('until', 'echo it waits; until')}\nCOPY Dockerfile /`);
  {
    await using terminal = await openTerminal(host);
    terminal.type('tscompose up --ui\n');
    // In the place of logs, which there are none of.
    await terminal.shows(/build web +[0-9.]+s +5 steps, 4 cached/);
    await terminal.shows(/= 4 steps +cached/);
    await terminal.shows(/\[5\/6\] RUN --mount=type=cache.* [0-9.]+s/);
    await terminal.shows('it waits');
    terminal.keys('B');
    await terminal.shows('─ builds ─');
    await terminal.shows('it waits');
    await terminal.shows(/= 4 steps +cached/);
    const mounts = join(host.root, 'build/mounts');
    const [name = ''] = readdirSync(mounts).filter((entry) => !entry.includes('.'));
    writeFileSync(join(mounts, name, 'data/go'), '0');
    await terminal.shows(/✓ \[6\/6\] COPY Dockerfile \/ +[0-9.]+s/);
    terminal.keys('Escape');
    await terminal.hides('─ builds ─');
    await terminal.shows('1/1 up');
    terminal.keys('q');
  }
  await down(host);
});
