import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {MonitorState} from '../../../src/engine/container/state.ts';
import {type Bed, eventually, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

const sleeper = ['sh', '-c', 'while :; do sleep 0.05; done'];
const itself = {HostConfig: {AutoRemove: true}, Volumes: {'/scratch': {}}};

/** Started by a command that is gone at its end: nobody but its monitor lives. */
async function startAndLeave(words: readonly string[], name?: string): Promise<string> {
  const id = await bed.create(words, itself, name);
  const starter = await bed.another();
  await starter.containers.start(id);
  await starter.close();
  return id;
}

/** As a signal from outside the engine, which nobody is told of. */
async function endUnseen(id: string): Promise<void> {
  const {control, state} = bed.layout.container(id);
  const {pid = 0} = JSON.parse(readFileSync(state, 'utf8')) as MonitorState;
  process.kill(pid, 'SIGKILL');
  // The last that a monitor takes away; while it clears up it cannot be connected to any more.
  await eventually(async () => expect(existsSync(control)).toBe(false));
}

const volumes = async () => (await bed.engine.volumes.list()).map(({Name}) => Name);

async function expectNothingLeft(): Promise<void> {
  expect(readdirSync(bed.layout.containers)).toEqual([]);
  expect(readdirSync(bed.layout.names)).toEqual([]);
  expect(await volumes()).toEqual([]);
}

it('that ended while no command lived is gone for whoever looks next', async () => {
  const looks: readonly ((id: string) => Promise<unknown>)[] = [
    async () => expect(await bed.engine.containers.list({all: true})).toEqual([]),
    async (id) => expect(bed.engine.containers.inspect(id)).rejects.toMatchObject({kind: 'notFound'}),
    async (id) => expect(bed.engine.containers.start(id)).rejects.toMatchObject({kind: 'notFound'}),
    async (id) => expect(bed.engine.containers.restart(id)).rejects.toMatchObject({kind: 'notFound'}),
    async (id) => expect(bed.engine.containers.wait(id, 'not-running')).rejects.toMatchObject({kind: 'notFound'}),
    async () => bed.engine.containers.remove(await bed.create(['true'], {}, 'name')),
  ];
  for (const look of looks) {
    const id = await startAndLeave(sleeper, 'name');
    await endUnseen(id);
    await look(id);
    await expectNothingLeft();
  }
});

it('goes with a monitor that was killed', async () => {
  const id = await startAndLeave(sleeper);
  const removed = bed.engine.containers.wait(id, 'removed');
  const {monitor = 0} = JSON.parse(readFileSync(bed.layout.container(id).state, 'utf8')) as MonitorState;
  process.kill(monitor, 'SIGKILL');
  expect(await removed).toMatchObject({StatusCode: 137});
  await expectNothingLeft();
});

it('is removed once, however many wait for it and look at it', async () => {
  const since = Date.now() / 1000;
  const id = await startAndLeave(sleeper);
  const others = await Promise.all([bed.another(), bed.another(), bed.another()]);
  const ready = others.map(async ({containers}) => {
    let told = () => {};
    const listens = new Promise<void>((resolve) => {
      told = resolve;
    });
    const result = containers.wait(id, 'removed', undefined, told);
    await listens;
    return {result};
  });
  const waits = await Promise.all(ready);
  await endUnseen(id);
  await Promise.all(others.map(({containers}) => containers.list({all: true})));
  for (const {result} of waits) expect(await result).toEqual({StatusCode: 137});
  const actions: string[] = [];
  for await (const {Action} of bed.engine.system.events({
    since,
    until: Date.now() / 1000 + 0.01,
    filters: {container: [id], event: ['die', 'destroy']},
  }))
    actions.push(Action);
  expect(actions).toEqual(['die', 'destroy']);
  await eventually(expectNothingLeft);
});

it('is removed by the engine that started it, where that is still open', async () => {
  const id = await bed.start(['sh', '-c', 'exit 3'], itself);
  await eventually(async () => expect(readdirSync(bed.layout.containers)).toEqual([]));
  await expect(bed.engine.containers.inspect(id)).rejects.toMatchObject({kind: 'notFound'});
  await eventually(expectNothingLeft);
});
