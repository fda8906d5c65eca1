import {expect, test} from 'vitest';
import {watchServing} from '../../../src/watch/session/serving.ts';
import {manualClock} from '../manual-clock.ts';
import {memoryContainer} from './memory-container.ts';
import {memoryContainers} from './memory-containers.ts';

function begin(...probed: readonly boolean[]) {
  const clock = manualClock();
  const containers = memoryContainers();
  const restarted = probed.map((value, index) => memoryContainer({id: `${index}`, probed: value}).container);
  for (const container of restarted) containers.came(container);
  return {clock, containers, serving: watchServing(containers, restarted, clock)};
}

test('without a probe a container that was restarted runs from then on, unless it ends right away', async () => {
  const {serving, clock, containers} = begin(false, false);
  containers.tell('died', '0');
  for (const id of ['0', '1']) containers.tell('started', id);
  serving.restarted();
  const at = clock.now();
  await clock.advance(200);
  expect(await serving.outcome).toEqual({outcome: 'running', at});
  const ends = begin(false);
  ends.containers.tell('started', '0');
  ends.serving.restarted();
  await ends.clock.advance(100);
  ends.containers.tell('died', '0');
  const end = ends.clock.now();
  await ends.clock.advance(100);
  expect(await ends.serving.outcome).toEqual({outcome: 'exited', at: end});
});

test('news may be late: the start before, and the end for the restart, say nothing of what runs now', async () => {
  for (const probe of [false, true]) {
    const {serving, clock, containers} = begin(probe);
    containers.tell('started', '0');
    containers.tell('died', '0');
    serving.restarted();
    await clock.advance(20);
    containers.tell('started', '0');
    await clock.advance(180);
    if (probe) containers.health('0', 'healthy');
    expect((await serving.outcome).outcome).toBe(probe ? 'healthy' : 'running');
  }
});

test('all that have a probe must be healthy after they were started again; what came before does not count', async () => {
  const {serving, containers} = begin(true, true, false);
  containers.health('0', 'healthy');
  containers.tell('died', '1');
  containers.health('1', 'unhealthy');
  for (const id of ['0', '1']) containers.tell('started', id);
  serving.restarted();
  containers.health('0', 'healthy');
  containers.health('1', 'healthy');
  expect((await serving.outcome).outcome).toBe('healthy');
});

test('one that ends, or is unhealthy, decides', async () => {
  const ends = begin(true, true);
  ends.containers.tell('started', '0');
  ends.serving.restarted();
  await ends.clock.advance(5_000);
  ends.containers.tell('died', '0');
  const end = ends.clock.now();
  await ends.clock.advance(200);
  expect(await ends.serving.outcome).toEqual({outcome: 'exited', at: end});
  const ill = begin(true);
  ill.containers.tell('started', '0');
  ill.containers.health('0', 'unhealthy');
  expect((await ill.serving.outcome).outcome).toBe('unhealthy');
});

test('nobody waits longer than a minute, or once something newer is on its way', async () => {
  const slow = begin(true);
  await slow.clock.advance(60_000);
  expect((await slow.serving.outcome).outcome).toBe('starting');
  const newer = begin(true);
  newer.serving.supersede();
  expect((await newer.serving.outcome).outcome).toBe('starting');
});
