import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import type {Engine} from '../../src/engine/engine.ts';
import {type FaultBed, makeFaultBed} from './faults/bed.ts';
import type {Call} from './faults/calls.ts';

const body = {
  Image: 'busybox',
  Cmd: ['sh', '-c', 'trap "echo bye; exit 7" TERM; while :; do sleep 0.1; done'],
  HostConfig: {NetworkMode: 'none'},
};
const create: Call = ['containers', 'create', body, {name: 'victim'}];
const start: Call = ['containers', 'start', 'victim'];

async function monitorOf({host}: FaultBed, engine: Engine): Promise<number> {
  const {Id} = await engine.containers.inspect('victim');
  const state = JSON.parse(readFileSync(join(host.run, 'containers', Id, 'state.json'), 'utf8')) as {monitor: number};
  return state.monitor;
}

async function endsAs(engine: Engine, state: object): Promise<void> {
  await engine.containers.stop('victim', {timeoutSeconds: 60});
  expect((await engine.containers.inspect('victim')).State).toMatchObject(state);
  await engine.containers.remove('victim');
}

test('a monitor that somebody stopped is woken by a stop, which then goes its ordinary way', async () => {
  await using bed = await makeFaultBed();
  await bed.withEngine(async (engine) => {
    await engine.containers.create(body, {name: 'victim'});
    await engine.containers.start('victim');
    process.kill(await monitorOf(bed, engine), 'SIGSTOP');
    await endsAs(engine, {Status: 'exited', ExitCode: 7, Error: ''});
  });
  await bed.checkUntouched('a monitor that was stopped');
});

test('a monitor that hangs in the kernel is killed by a stop, and its container is lost', async () => {
  await using bed = await makeFaultBed();
  // Whatever it does next is not answered until it is killed.
  const {answers} = await bed.run({action: 'hold', roles: 'monitor', first: 1, last: 1_000_000}, [create, start], []);
  expect(answers).toEqual([]);
  await bed.withEngine((engine) => endsAs(engine, {Status: 'exited', ExitCode: 137, Error: 'monitor lost'}));
  await bed.checkUntouched('a monitor that hung');
});

test('a container whose process is killed before its program runs did not start', async () => {
  await using bed = await makeFaultBed();
  const {operations} = await bed.run({action: 'count', roles: 'setup'}, [create], [start]);
  const last = operations.findLastIndex((line) => / pivot_root/.test(line)) + 1;
  expect(last).toBeGreaterThan(0);
  await bed.withEngine((engine) => engine.containers.remove('victim', {force: true}));

  const {answers} = await bed.run({action: 'kill', roles: 'setup', first: last}, [create], [start]);
  expect(answers).toMatchObject([{error: {message: expect.stringContaining('it was killed before its program ran')}}]);
  await bed.withEngine(async (engine) => {
    expect((await engine.containers.inspect('victim')).State).toMatchObject({Status: 'created', Running: false});
    await engine.containers.start('victim');
    await endsAs(engine, {Status: 'exited', ExitCode: 7});
  });
  await bed.checkUntouched('a process that was killed early');
});

test('a monitor that hangs while it clears up is killed too, and what it had written down stays', async () => {
  await using bed = await makeFaultBed();
  // The third is that of its state: its record of the end is in place by then.
  const hang = {action: 'hold', roles: 'monitor', calls: 'unlink', first: 3, last: 1_000_000} as const;
  await bed.run(hang, [create, start], []);
  await bed.withEngine((engine) => endsAs(engine, {Status: 'exited', ExitCode: 7, Error: ''}));
  await bed.checkUntouched('a monitor that hung at its end');
});
