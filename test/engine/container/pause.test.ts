import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {commitMark} from '../../../src/engine/container/killed-commit.ts';
import {readMachine} from '../../../src/engine/container/machine.ts';
import type {MonitorState} from '../../../src/engine/container/state.ts';
import {connectControl} from '../../../src/engine/helper/control.ts';
import {encodeHeader, encodeOperations} from '../../../src/engine/helper/operations.ts';
import {type Bed, eventually, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

const sleeper = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'];

function monitorState(id: string): MonitorState {
  return JSON.parse(readFileSync(bed.layout.container(id).state, 'utf8')) as MonitorState;
}

async function cgroupsOf(id: string): Promise<readonly string[]> {
  const {v1, v2} = (await readMachine()).cgroups;
  return [...v1, ...(v2 ? [v2] : [])].map(({mount}) => join(mount, bed.cgroupParent, id));
}

/** What the kernel says, in whichever hierarchy it was frozen. */
async function isFrozen(id: string): Promise<boolean> {
  const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  return (await cgroupsOf(id)).some(
    (directory) =>
      read(join(directory, 'cgroup.events')).includes('frozen 1') ||
      read(join(directory, 'freezer.state')).trim() === 'FROZEN',
  );
}

it('freezes every process, and a restart survives it', async () => {
  const id = await bed.start(sleeper);
  await bed.engine.containers.pause(id);
  expect(await isFrozen(id)).toBe(true);
  await bed.engine.containers.unpause(id);
  expect(await isFrozen(id)).toBe(false);
  await bed.engine.containers.pause(id);
  // As seen by another command.
  expect((await (await bed.another()).containers.inspect(id)).State).toMatchObject({Status: 'paused', Paused: true});
  await bed.engine.containers.restart(id);
  expect(await bed.state(id)).toMatchObject({Status: 'running', Paused: false});
  expect(await isFrozen(id)).toBe(false);
  await bed.engine.containers.remove(id, {force: true});
});

it('of a monitor that is killed meanwhile is cleared by whoever looks, and the next run is awake', async () => {
  const id = await bed.start(sleeper);
  await bed.engine.containers.pause(id);
  const {monitor = 0, pid = 0} = monitorState(id);
  process.kill(monitor, 'SIGKILL');
  await eventually(async () => expect(await bed.state(id)).toMatchObject({Status: 'exited', ExitCode: 137}));
  await eventually(async () => expect(existsSync(`/proc/${pid}`)).toBe(false));
  for (const directory of await cgroupsOf(id)) expect(existsSync(directory), directory).toBe(false);
  await bed.engine.containers.start(id);
  expect(await bed.state(id)).toMatchObject({Status: 'running', Paused: false});
  expect(await isFrozen(id)).toBe(false);
  expect(await bed.exec(id, ['echo', 'awake'])).toEqual({code: 0, output: 'awake\n'});
  await bed.engine.containers.remove(id, {force: true});
});

it('by a commit that was killed it is not for long, by anybody else it stays', async () => {
  const id = await bed.start(sleeper);
  const {committing} = bed.layout.container(id);
  await bed.engine.containers.pause(id);
  // As somebody makes it who asks for the lock of a commit that has just ended.
  writeFileSync(committing, '');
  expect(await bed.state(id)).toMatchObject({Status: 'paused'});
  expect(existsSync(committing)).toBe(false);
  writeFileSync(committing, commitMark);
  expect(await bed.state(id)).toMatchObject({Status: 'running', Paused: false});
  expect(await isFrozen(id)).toBe(false);
  await bed.engine.containers.remove(id, {force: true});
});

it('goes on when the command that asked for it is killed; the next one finds it paused', async () => {
  const id = await bed.start(sleeper);
  const socket = await connectControl(bed.layout.container(id).control);
  const request = Buffer.concat([encodeHeader(new Uint8Array(16)), encodeOperations([{kind: 'pause'}])]);
  // As the kernel ends a connection: what was sent arrives, and then its end.
  await new Promise<void>((resolve) => socket.end(request, () => resolve()));
  await eventually(async () => expect(await bed.state(id)).toMatchObject({Status: 'paused', Paused: true}));
  await expect(bed.engine.containers.pause(id)).rejects.toMatchObject({kind: 'conflict'});
  await bed.engine.containers.unpause(id);
  expect(await isFrozen(id)).toBe(false);
  await bed.engine.containers.remove(id, {force: true});
  expect(readdirSync(bed.layout.containers)).toEqual([]);
});

it('many times, beside a stop, ends in one state or the other', async () => {
  const id = await bed.start(sleeper);
  const {containers} = bed.engine;
  for (let round = 0; round < 10; round++) {
    await Promise.allSettled([containers.pause(id), containers.unpause(id), containers.pause(id)]);
    const {Paused} = await bed.state(id);
    expect(await isFrozen(id)).toBe(Paused);
  }
  await Promise.allSettled([containers.pause(id), containers.stop(id), containers.unpause(id)]);
  await eventually(async () => expect(await bed.state(id)).toMatchObject({Status: 'exited', Paused: false}));
  await containers.remove(id);
});
