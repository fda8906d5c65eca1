import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {callMonitor} from '../../src/engine/helper/control.ts';
import {encodeOperations, type MonitorOperation} from '../../src/engine/helper/operations.ts';
import {type Container, eventually, type LaunchMachine, openLaunchMachine} from './launch-machine.ts';

let machine: LaunchMachine;
beforeAll(async () => {
  machine = await openLaunchMachine();
});
afterAll(async () => {
  await machine.close();
});

const patient = ['sh', '-c', 'trap "exit 7" TERM; echo on; while :; do sleep 0.05; done'];

const hierarchies = new Set(
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, , type = '', options = ''] = line.split(' ');
      if (type === 'cgroup2') return [2];
      return type === 'cgroup' && options.split(',').includes('freezer') ? [1] : [];
    }),
);

/** Only in hierarchies of one version, and so frozen by that. */
async function launchIn(version: number): Promise<Container> {
  const container = machine.container({words: patient});
  await launch(container, version);
  await eventually(() => container.text() === 'on\n');
  return container;
}

async function launch({plan}: Container, version: number): Promise<void> {
  const ofVersion = plan.filter(
    (operation: MonitorOperation) =>
      (operation.kind !== 'cgroup' && operation.kind !== 'monitorCgroup') || operation.version === version,
  );
  await machine.helper.request({kind: 'launch', plan: encodeOperations(ofVersion)});
}

function isFrozen(container: Container): boolean {
  const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  return container.cgroups.some(
    (directory) =>
      read(join(directory, 'cgroup.events')).includes('frozen 1') ||
      read(join(directory, 'freezer.state')).trim() === 'FROZEN',
  );
}

const actions = ({id}: Container) => machine.events().flatMap((event) => (event.id === id ? [event.action] : []));

for (const version of [1, 2]) {
  const name = version === 1 ? 'the freezer of version 1' : 'version 2, which needs no controller';
  test.skipIf(!hierarchies.has(version))(`by ${name}: freezes, thaws, and nobody dies of it`, async () => {
    const container = await launchIn(version);
    const control = container.paths.control;
    await callMonitor(control, {kind: 'pause'});
    expect(isFrozen(container)).toBe(true);
    expect(container.state()).toMatchObject({status: 'running', paused: true});
    await expect(callMonitor(control, {kind: 'pause'})).rejects.toMatchObject({kind: 'conflict'});
    await expect(
      callMonitor(control, {kind: 'attach', stdin: false, stdout: true, stderr: true}),
    ).rejects.toMatchObject({kind: 'conflict'});
    await callMonitor(control, {kind: 'unpause'});
    expect(isFrozen(container)).toBe(false);
    expect(container.state()).toMatchObject({status: 'running', paused: false});
    await expect(callMonitor(control, {kind: 'unpause'})).rejects.toMatchObject({kind: 'conflict'});
    await callMonitor(control, {kind: 'pause'});
    await container.stop({graceMs: 60_000});
    expect(container.exit()).toMatchObject({status: 'exited', exitCode: 7, paused: false});
    expect(actions(container)).toEqual(['start', 'pause', 'unpause', 'pause', 'kill', 'unpause', 'die', 'stop']);
  });

  test.skipIf(!hierarchies.has(version))(`by ${name}: SIGKILL ends it, without a moment awake`, async () => {
    const container = await launchIn(version);
    await callMonitor(container.paths.control, {kind: 'pause'});
    await callMonitor(container.paths.control, {kind: 'kill', signal: 'SIGKILL'});
    expect(await container.ended()).toMatchObject({exitCode: 137, paused: false});
    expect(actions(container)).toEqual(['start', 'pause', 'kill', 'die']);
  });

  test.skipIf(!hierarchies.has(version))(`by ${name}: the next run after a killed monitor is awake`, async () => {
    const container = await launchIn(version);
    await callMonitor(container.paths.control, {kind: 'pause'});
    const {monitor = 0} = container.state() ?? {};
    process.kill(monitor, 'SIGKILL');
    // Launching anew is what clears up here: it kills what the first one left, frozen as it is.
    await eventually(() =>
      launch(container, version).then(
        () => true,
        () => false,
      ),
    );
    expect(isFrozen(container)).toBe(false);
    await eventually(() => container.text() === 'on\non\n');
    await container.stop({graceMs: 0});
  });
}

test('a run that ends by itself, by a policy, starts the next one awake', async () => {
  const container = machine.container({
    words: ['sh', '-c', 'echo on; while :; do sleep 0.05; done'],
    monitor: [{kind: 'restart', policy: 'always', maxRetries: 0}],
  });
  const {pid} = await container.launch();
  await eventually(() => container.text() === 'on\n');
  await callMonitor(container.paths.control, {kind: 'pause'});
  // By somebody else, so that the policy holds; the freezer of version 1 keeps it until it is thawed.
  process.kill(pid, 'SIGKILL');
  if (!hierarchies.has(2)) await callMonitor(container.paths.control, {kind: 'unpause'});
  await eventually(() => container.state()?.restartCount === 1 && container.state()?.status === 'running');
  expect(container.state()).toMatchObject({paused: false});
  expect(isFrozen(container)).toBe(false);
  await eventually(() => container.text() === 'on\non\n');
  await container.stop({graceMs: 0});
});
