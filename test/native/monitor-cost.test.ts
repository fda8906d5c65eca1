import {readFileSync} from 'node:fs';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {eventually, type LaunchMachine, openLaunchMachine} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});

afterAll(async () => {
  await machine.close();
});

const shell = (script: string) => ['sh', '-c', script];

function children(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

test('memory: monitor, network child and log writer together stay small', async () => {
  const container = machine.container({
    words: shell('echo hello; sleep 1000'),
    monitor: [{kind: 'dns', address: '127.0.0.11:53'}],
  });
  const {monitor} = await container.launch();
  await eventually(() => container.text().includes('hello'));
  const members = () => [monitor, ...children(monitor)].filter((pid) => pid !== container.state()?.pid);
  await eventually(() => members().length === 3);
  const family = members();
  expect(family).toHaveLength(3);
  const kilobytes = (field: string) =>
    family.reduce((total, pid) => {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return total + Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1]);
    }, 0);
  // What was needed only for the start is given back a second later.
  await eventually(() => kilobytes('Rss') < 2048 && kilobytes('Pss') < 1024);
  await container.stop({graceMs: 0});
});

test('an idle monitor does nothing', async () => {
  const container = machine.container({words: ['sleep', '1000']});
  const {monitor} = await container.launch();
  const switches = () =>
    Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${monitor}/status`, 'utf8'))?.[1]);
  // What is left to do after the start is done after a second, or a little later on a busy machine.
  await eventually(async () => {
    const before = switches();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    return switches() - before <= 1;
  });
  await container.stop({graceMs: 0});
});
