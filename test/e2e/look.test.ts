import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {openTerminal} from '../support/terminal.ts';
import {loadImages} from '../support/test-images.ts';
import {startCommand} from '../support/watching.ts';

const fast = 'image: busybox, stop_grace_period: 0s';

async function startStack(host: TestHost): Promise<void> {
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: look
services:
  busy: {${fast}, command: sh -c 'while :; do :; done', cpus: 0.3, mem_limit: 64m, labels: {tier: back}}
  idle: {${fast}, command: sleep 600, scale: 2}
  over: {${fast}, command: 'true'}
`,
  );
  expect(await host.tscompose(['up', '-d'])).toMatchObject({code: 0});
}

async function takeDown(host: TestHost): Promise<void> {
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
}

const jsonLines = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);

test('stats tells once what the containers use, in each form', async () => {
  await using host = await makeHost();
  await startStack(host);
  // A machine with much else to do gives a container less than it may have, or looks at it late.
  const [busy] = await eventually(async () => {
    const json = await host.tscompose(['stats', '--no-stream', '--format', 'json', 'busy', 'idle']);
    expect(json).toMatchObject({code: 0, stderr: ''});
    const rows = jsonLines(json.stdout);
    expect(rows.map(({Name}) => Name)).toEqual(['look-busy-1', 'look-idle-1', 'look-idle-2']);
    const [share = 0, ofIdle] = rows.map(({CPUPerc = ''}) => Number.parseFloat(CPUPerc));
    expect(share).toBeGreaterThan(10);
    expect(share).toBeLessThan(60);
    expect(ofIdle).toBeLessThan(5);
    return rows;
  });
  // The members that Docker Compose prints, and the service.
  expect(Object.keys(busy ?? {})).toEqual(
    'BlockIO CPUPerc Container ID MemPerc MemUsage Name NetIO PIDs Service'.split(' '),
  );
  expect(busy?.['MemUsage']).toMatch(/^[\d.]+[KM]iB \/ 64MiB$/);
  expect(busy).toMatchObject({PIDs: '1', Service: 'busy', ID: busy?.['Container']?.slice(0, 12)});

  const all = await host.tscompose(['stats', '--no-stream', '-a']);
  const lines = all.stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/);
  expect(lines.slice(1).map((line) => line.split(/ {2,}/)[1])).toEqual([
    'look-busy-1',
    'look-idle-1',
    'look-idle-2',
    'look-over-1',
  ]);
  expect(lines[4]).toMatch(/0\.00% +0B \/ 0B +0\.00% +0B \/ 0B +0B \/ 0B +0$/);

  const template = await host.tscompose(['stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}', 'idle']);
  expect(template.stdout).toBe('look-idle-1 1\nlook-idle-2 1\n');
  const whole = await host.tscompose(['stats', '--no-stream', '--no-trunc', '--format', '{{.ID}}', 'busy']);
  expect(whole.stdout).toBe(`${busy?.['Container']}\n`);
  expect(await host.tscompose(['stats', '--no-stream', 'ilde'])).toMatchObject({
    code: 1,
    stderr: 'error: no such service: "ilde"\nhint: did you mean "idle"?\n',
  });
  expect(await host.tscompose(['stats', '--format', '{{.Nmae}}'])).toMatchObject({code: 64});
  await takeDown(host);
});

test('stats goes on until it is interrupted: lines for programs, one picture in a terminal', async () => {
  await using host = await makeHost();
  await startStack(host);
  {
    await using stats = startCommand(host, ['stats', '--format', 'json', 'busy']);
    await eventually(() => expect(jsonLines(stats.stdout()).length).toBeGreaterThan(1));
    // Escape sequences are for terminals.
    expect(stats.stdout()).not.toContain('\x1b');
    expect(await stats.interrupt()).toBe(130);
  }
  {
    const coverage = join(host.directory, 'coverage');
    await using terminal = openTerminal(host, {columns: 80, rows: 10, env: {NODE_V8_COVERAGE: coverage}});
    terminal.type('tscompose stats\r');
    // Names are cut where figures are wide: whose pages have to be read again has read from a disk.
    await terminal.shows(/^look-busy\S* +\d{2,3}\.\d\d%/m);
    const headings = () => terminal.screen().match(/^NAME +CPU %/gm)?.length;
    await eventually(() => expect(headings()).toBe(1));
    expect(terminal.screen()).not.toContain('look-over');
    // It follows what comes and goes, and the size of the terminal.
    expect((await host.tscompose(['stop', 'idle'])).code).toBe(0);
    await eventually(() => expect(terminal.screen()).not.toContain('look-idle'));
    expect((await host.tscompose(['start', 'idle'])).code).toBe(0);
    await eventually(() => expect(terminal.screen().match(/^look-idle/gm)).toHaveLength(2));
    terminal.resize(40, 10);
    await terminal.shows(/^NAME +CPU % +MEM USAGE \/ LIMIT$/m);
    terminal.resize(160, 4);
    await terminal.shows(/^CONTAINER ID +NAME.*PIDS\n.*\n… 2 more$/m);
    terminal.type('\x03');
    await terminal.shows(/^\$$/m);
    terminal.type('echo code $?\r');
    await terminal.shows('code 130');
    // A picture like this one needs nothing of the terminal UI.
    const code = readdirSync(coverage).map((name) => readFileSync(join(coverage, name), 'utf8'));
    expect(code.join('')).toContain('/dist/cli.cjs');
    expect(code.join('')).not.toContain('/ink.mjs');
  }
  await takeDown(host);
});

test('top lists the processes of the services that run', async () => {
  await using host = await makeHost();
  await startStack(host);
  const top = await host.tscompose(['top', 'idle', 'over']);
  expect(top).toMatchObject({code: 0, stderr: ''});
  const rows = top.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {3,}/));
  expect(rows[0]).toEqual(['SERVICE', '#', 'UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
  expect(rows.slice(1).map((row) => [row[0], row[1], row[2], row[9]])).toEqual([
    ['idle', '1', 'root', 'sleep 600'],
    ['idle', '2', 'root', 'sleep 600'],
  ]);
  expect((await host.tscompose(['top'])).stdout.match(/while :; do :; done$/gm)).toHaveLength(1);
  expect(await host.tscompose(['top', 'none'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no such service: "none"'),
  });
  await takeDown(host);
});

test('ps tells orphans, and leaves them out where that is asked for', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const layOut = (...names: readonly string[]) =>
    writeFileSync(
      join(host.directory, 'compose.yaml'),
      `name: look\nservices:\n${names.map((name) => `  ${name}: {${fast}, command: sleep 600}\n`).join('')}`,
    );
  layOut('old', 'stays');
  expect(await host.tscompose(['up', '-d'])).toMatchObject({code: 0});
  layOut('stays');
  const ps = await host.tscompose(['ps', '--services']);
  expect(ps.stdout).toBe('old\nstays\n');
  expect((await host.tscompose(['ps', '--services', '--orphans=false'])).stdout).toBe('stays\n');
  // Without a stack file nothing says what is one.
  const elsewhere = {cwd: host.root};
  const {stdout} = await host.tscompose(['-p', 'look', 'ps', '--services', '--orphans=false'], elsewhere);
  expect(stdout).toBe('old\nstays\n');
  expect((await host.tscompose(['down', '--remove-orphans', '--rmi', 'all'])).stderr).toContain(
    'image busybox removed',
  );
  expect((await host.tscompose(['images', '-a'])).stdout).not.toMatch(/busybox|<none>/);
  expect(host.leftovers()).toEqual([]);
});

test('events tells what happens to the containers, as it happens and from before', async () => {
  await using host = await makeHost();
  const began = new Date().toISOString();
  await startStack(host);
  {
    await using all = startCommand(host, ['events', '--json', '--since', began]);
    await using idle = startCommand(host, ['events', 'idle', '--since', began]);
    await eventually(() => {
      expect(jsonLines(all.stdout()).map(({action}) => action)).toContain('die');
      expect(idle.stdout()).toContain('container start');
    });
    expect((await host.tscompose(['stop', '-t', '0', 'idle'])).code).toBe(0);
    await eventually(() => expect(jsonLines(all.stdout()).filter(({action}) => action === 'die')).toHaveLength(3));
    await eventually(() => expect(idle.stdout().match(/container die/g)).toHaveLength(2));
    // Its attributes without what is kept on every container.
    const die = jsonLines(all.stdout()).find(({service, action}) => service === 'over' && action === 'die');
    expect(die).toEqual({
      action: 'die',
      attributes: {execDuration: expect.stringMatching(/^\d+$/), exitCode: '0', image: 'busybox', name: 'look-over-1'},
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      service: 'over',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      type: 'container',
    });
    // The engine's own clock knows milliseconds: nothing is made of them on the way.
    for (const {action, time} of jsonLines(all.stdout())) if (action === 'create') expect(time).toMatch(/\d000Z$/);
    expect(idle.stdout()).not.toContain('look-over-1');
    for (const line of idle.stdout().trimEnd().split('\n')) {
      expect(line).toMatch(
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} container \w+ [0-9a-f]{64} \((?:execDuration=\d+, exitCode=\d+, )?image=busybox, name=look-idle-\d(?:, signal=\d+)?\)$/,
      );
    }
    expect(await all.interrupt()).toBe(130);
    expect(await idle.interrupt()).toBe(130);
  }
  const past = await host.tscompose(['events', '--since', began, '--until', '0s', '--json', 'busy']);
  expect(past.code).toBe(0);
  expect(jsonLines(past.stdout).map(({action}) => action)).toEqual(['create', 'start']);
  expect(jsonLines(past.stdout)[0]).toMatchObject({attributes: {tier: 'back'}});
  expect(await host.tscompose(['events', 'none'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no such service: "none"'),
  });
  expect(await host.tscompose(['events', '--since', 'noon'])).toMatchObject({code: 64});

  {
    // In a terminal a line is short, and one line.
    await using terminal = openTerminal(host, {columns: 40});
    terminal.type(`tscompose events --since ${began} --until 0s over; echo done\r`);
    await terminal.shows(/^done$/m);
    expect(terminal.screen()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}over-1 {2}die \(exit code 0\)$/m);
    // Nor does help break a word.
    terminal.type('clear; tscompose stop --help\r');
    await terminal.shows(/^ {2}-t, --timeout <SECONDS>\n {6}seconds to wait before a container\n {6}is killed$/m);
  }
  await takeDown(host);
});
