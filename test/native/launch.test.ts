import {existsSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type LaunchMachine, openLaunchMachine, runToEnd} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});
afterAll(async () => {
  await machine.close();
});

test('runs a process, keeps its output and its exit code, and leaves nothing', async () => {
  const container = machine.container({words: ['sh', '-c', 'echo to-out; echo to-err >&2; exit 3']});
  const reply = await container.launch();
  expect(reply.pid).toBeGreaterThan(1);
  const state = await container.ended();
  expect(state).toMatchObject({
    id: container.id,
    status: 'exited',
    exitCode: 3,
    pid: 0,
    error: '',
    restartCount: 0,
    oomKilled: false,
  });
  expect(container.text('stdout')).toBe('to-out\n');
  expect(container.text('stderr')).toBe('to-err\n');
  for (const cgroup of container.cgroups) expect(existsSync(cgroup), cgroup).toBe(false);
  expect(existsSync(container.paths.state)).toBe(false);
});
