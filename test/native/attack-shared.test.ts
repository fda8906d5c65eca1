import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {callMonitor} from '../../src/engine/helper/control.ts';
import {eventually, type LaunchMachine, openLaunchMachine, runToEnd} from './launch-machine.ts';
import {makeSpy} from './spy.ts';

let machine: LaunchMachine;
beforeAll(async () => {
  machine = await openLaunchMachine();
  mkdirSync(join(machine.directory, 'sentinel'));
  writeFileSync(join(machine.directory, 'sentinel/secret'), 'of the machine');
});
afterAll(() => machine.close());

const ownPids = 'pid,mount,uts,ipc,cgroup';
const withoutPids = 'mount,uts,ipc,cgroup';

describe('a spy among the processes that containers share', () => {
  test('sees nothing of the ones that join before their programs run', async () => {
    const owner = machine.container(await makeSpy(machine));
    await owner.launch();
    await eventually(() => owner.text().includes('looking'));
    for (let round = 0; round < 20; round++) {
      const guests = [1, 2].map(() =>
        runToEnd(machine, {
          namespaces: withoutPids,
          monitor: [{kind: 'join', list: 'pid', control: owner.paths.control}],
          words: ['true'],
        }),
      );
      for (const {state} of await Promise.all(guests)) expect(state).toMatchObject({exitCode: 0, error: ''});
    }
    await owner.stop({graceMs: 0});
    expect(owner.text()).toBe('looking\n');
  });

  test('that joined sees nothing of a run of the other container that begins', async () => {
    const owner = machine.container({words: ['sleep', '1000']});
    await owner.launch();
    const guest = machine.container({
      ...(await makeSpy(machine)),
      namespaces: withoutPids,
      monitor: [{kind: 'join', list: 'pid', control: owner.paths.control}],
    });
    await guest.launch();
    await eventually(() => guest.text().includes('looking'));
    await guest.stop({graceMs: 0});
    expect(guest.text()).toBe('looking\n');
    await owner.stop({graceMs: 0});
  });

  test('in those of the machine gets at no monitor and none of its helpers', async () => {
    const guest = machine.container({...(await makeSpy(machine)), namespaces: withoutPids});
    await guest.launch();
    const others = [1, 2, 3].map(() => runToEnd(machine, {words: ['true'], namespaces: ownPids}));
    await Promise.all(others);
    await eventually(() => guest.text().includes('looking'));
    await guest.stop({graceMs: 0});
    expect(guest.text()).toBe('looking\n');
  });
});

describe('shared memory', () => {
  const joining = (control: string) => ({
    namespaces: 'pid,mount,uts,cgroup',
    monitor: [{kind: 'join', list: 'ipc', control} as const],
  });

  test('that is a link leads nowhere', async () => {
    // Its owner may put at that name what it likes, where it may mount or its /dev is its own.
    const script = 'umount /dev/shm 2>/dev/null; rmdir /dev/shm && ln -s / /dev/shm && echo linked; exec sleep 1000';
    const all = 'ffffffffffffffff';
    const owner = machine.container({
      words: ['sh', '-c', script],
      process: [{kind: 'capabilities', bounding: all, effective: all, permitted: all, inheritable: '0', ambient: '0'}],
    });
    await owner.launch();
    await eventually(() => owner.text().includes('linked'));
    const guest = machine.container({
      ...joining(owner.paths.control),
      mounts: [{kind: 'sharedMemory', target: '/memory'}],
      words: ['ls', '/memory'],
    });
    await expect(guest.launch()).rejects.toMatchObject({message: expect.stringMatching(/^sharedMemory: /)});
    await owner.stop({graceMs: 0});
  });

  test('is mounted for those only who have the namespace', async () => {
    const guest = machine.container({mounts: [{kind: 'sharedMemory', target: '/memory'}]});
    await expect(guest.launch()).rejects.toMatchObject({kind: 'invalid'});
  });
});

describe('a monitor that is asked for its container', () => {
  test('lends nothing of one that is between two runs', async () => {
    const owner = machine.container({
      words: ['false'],
      monitor: [{kind: 'restart', policy: 'always', maxRetries: 0}],
    });
    await owner.launch();
    await eventually(() => owner.state()?.status === 'restarting' && (owner.state()?.restartCount ?? 0) > 2);
    // Whoever comes too late for it meets another run, and tries again.
    const refusal = (attempt: () => Promise<unknown>) => () =>
      attempt().then(
        () => undefined,
        (error: unknown) => error,
      );
    await expect
      .poll(refusal(() => callMonitor(owner.paths.control, {kind: 'lendProcess'})))
      .toMatchObject({kind: 'conflict'});
    const joining = () =>
      machine
        .container({
          namespaces: withoutPids,
          monitor: [{kind: 'join', list: 'pid', control: owner.paths.control}],
        })
        .launch();
    await expect.poll(refusal(joining)).toMatchObject({
      kind: 'conflict',
      message: 'join: the container whose namespace is shared is not running',
    });
    await owner.stop({graceMs: 0});
  });

  test('is not found where there is none', async () => {
    const guest = machine.container({
      namespaces: withoutPids,
      monitor: [{kind: 'join', list: 'pid', control: join(machine.directory, 'no/such.sock')}],
    });
    await expect(guest.launch()).rejects.toMatchObject({kind: 'conflict'});
  });
});
