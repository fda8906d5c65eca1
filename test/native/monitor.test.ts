import {readFileSync, statSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {callMonitor, watchMonitor} from '../../src/engine/helper/control.ts';
import {eventually, type LaunchMachine, openLaunchMachine, type State} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});

afterAll(async () => {
  await machine.close();
});

/** Ends at SIGTERM, which a process 1 without a handler never sees. */
const patient = ['sh', '-c', 'trap "exit 143" TERM; echo ready; while :; do sleep 0.05; done'];
const _shell = (script: string) => ['sh', '-c', script];
const _text = (payload: Uint8Array) => Buffer.from(payload).toString();

describe('state', () => {
  test('is written at the start, told on request and at every change', async () => {
    const container = machine.container({words: patient});
    const {pid, monitor} = await container.launch();
    expect(container.state()).toMatchObject({status: 'running', pid, monitor, finishedAt: '', exitCode: 0});
    expect(container.state()?.startedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    expect(await callMonitor<State>(container.paths.control, {kind: 'state'})).toEqual(container.state());
    const seen: State[] = [];
    const watching = (async () => {
      for await (const state of watchMonitor<State>(container.paths.control)) seen.push(state);
    })();
    await eventually(() => seen.length === 1 && container.text() === 'ready\n');
    await container.stop({graceMs: 60_000});
    await watching;
    // The third time it is known to be in the log.
    expect(seen.map(({status, logged}) => [status, logged])).toEqual([
      ['running', undefined],
      ['exited', undefined],
      ['exited', true],
    ]);
    expect(seen[1]).toMatchObject({pid: 0, exitCode: 143, stoppedByUser: true});
    expect(container.exit()).not.toHaveProperty('logged');
  });

  test('whoever watches is told when everything is in the log', async () => {
    const container = machine.container({
      words: ['sh', '-c', 'trap "echo last words; exit 0" TERM; echo ready; while :; do sleep 0.05; done'],
    });
    await container.launch();
    await eventually(() => container.text().includes('ready'));
    let watched = false;
    const watching = (async () => {
      for await (const {logged} of watchMonitor<State>(container.paths.control)) {
        watched = true;
        if (logged) return container.text();
      }
      return undefined;
    })();
    await eventually(() => watched);
    await container.stop({graceMs: 60_000});
    expect(await watching).toBe('ready\nlast words\n');
  });

  test('hello', async () => {
    const container = machine.container({words: patient});
    await container.launch();
    expect(await callMonitor(container.paths.control, {kind: 'monitorHello'})).toEqual({
      version: 1,
      build: Buffer.from(await machine.helper.build()).toString('hex'),
      features: ['update', 'networks'],
    });
    await container.stop();
  });

  test('files and socket are for their owner alone', async () => {
    const container = machine.container({words: patient});
    await container.launch();
    for (const path of [container.paths.state, container.paths.control, container.paths.lock])
      expect((statSync(path).mode & 0o777).toString(8), path).toBe('600');
    await container.stop();
    expect((statSync(container.paths.exit).mode & 0o777).toString(8)).toBe('600');
  });
});

test('events are whole lines with boot, time and sequence', async () => {
  const container = machine.container({words: ['true']});
  await container.launch();
  await container.ended();
  const lines = readFileSync(machine.journal, 'utf8')
    .split('\n')
    .filter((line) => line.includes(container.id))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({action}) => action)).toEqual(['start', 'die']);
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  for (const line of lines) expect(line).toMatchObject({v: 1, boot, type: 'container', id: container.id});
  expect(Math.abs(Number(lines[0]?.['time']) / 1e6 - Date.now())).toBeLessThan(60_000);
});
