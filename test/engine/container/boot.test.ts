import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {ContainerCreateBody, RestartPolicy} from '../../../src/api/types/container.ts';
import {type Bed, eventually, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

const sleeper = ['sh', '-c', 'trap "exit 143" TERM; while :; do sleep 0.05; done'];
const withPolicy = (
  Name: RestartPolicy['Name'],
  more: ContainerCreateBody['HostConfig'] = {},
): ContainerCreateBody => ({
  HostConfig: {RestartPolicy: {Name}, ...more},
});

/** As if the power had gone: everything dies at once, what is in memory is gone, and the next boot is another one. */
async function powerLoss(...ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const paths = bed.layout.container(id);
    const {monitor = 0} = JSON.parse(readFileSync(paths.state, 'utf8')) as {monitor?: number};
    process.kill(monitor, 'SIGKILL');
    await eventually(async () => expect(existsSync(`/proc/${monitor}`)).toBe(false));
    rmSync(paths.run, {recursive: true});
    const begun = JSON.parse(readFileSync(paths.begun, 'utf8')) as object;
    writeFileSync(paths.begun, JSON.stringify({...begun, boot: 'another'}));
  }
}

/** As when the machine is shut down: the monitor is asked to end. */
async function shutDown(id: string): Promise<void> {
  const {monitor = 0} = JSON.parse(readFileSync(bed.layout.container(id).state, 'utf8')) as {monitor?: number};
  process.kill(monitor, 'SIGTERM');
  await eventually(async () => expect(await bed.state(id)).toMatchObject({Status: 'exited'}));
}

const booted = async (): Promise<readonly string[]> =>
  (await bed.engine.containers.boot())
    .map(({name, error}) => (error === undefined ? name : `${name}: ${error}`))
    .sort();

async function removeAll(...ids: readonly string[]): Promise<void> {
  for (const id of ids) await bed.engine.containers.remove(id, {force: true});
}

test('after a loss of power what ran is lost, and runs again where its policy says so', async () => {
  const ids = [
    await bed.start(sleeper, withPolicy('always'), 'b-always'),
    await bed.start(sleeper, withPolicy('unless-stopped'), 'b-unless'),
    await bed.start(sleeper, withPolicy('on-failure'), 'b-failure'),
    await bed.start(sleeper, withPolicy('no'), 'b-no'),
  ];
  await powerLoss(...ids);
  expect(await booted()).toEqual(['b-always', 'b-failure', 'b-unless']);
  const [always = '', , , no = ''] = ids;
  expect(await bed.state(always)).toMatchObject({Status: 'running'});
  expect(await bed.state(no)).toMatchObject({Status: 'exited', ExitCode: 137, Error: 'monitor lost'});
  // The mark of the run that is over is gone, that of the new one is of this boot.
  expect(existsSync(bed.layout.container(no).begun)).toBe(false);
  // Once is enough.
  expect(await booted()).toEqual([]);
  await removeAll(...ids);
});

test('any command notices, without a service', async () => {
  const id = await bed.start(sleeper, withPolicy('unless-stopped'), 'b-noticed');
  await powerLoss(id);
  expect((await bed.engine.containers.list({all: true})).map(({State}) => State)).toEqual(['running']);
  await removeAll(id);
});

test('after a shutdown too, and who was stopped by somebody stays down unless the policy is always', async () => {
  const [asked, stopped, always] = [
    await bed.start(sleeper, withPolicy('unless-stopped'), 'b-asked'),
    await bed.start(sleeper, withPolicy('unless-stopped'), 'b-stopped'),
    await bed.start(sleeper, withPolicy('always'), 'b-always'),
  ];
  const never = await bed.create(sleeper, withPolicy('always'), 'b-never');
  await shutDown(asked);
  for (const id of [stopped, always]) await bed.engine.containers.stop(id, {timeoutSeconds: 0});
  expect(await booted()).toEqual(['b-always', 'b-asked']);
  expect(await bed.state(stopped)).toMatchObject({Status: 'exited'});
  expect(await bed.state(never)).toMatchObject({Status: 'created'});
  await removeAll(asked, stopped, always, never);
});

test('who shares a namespace of another starts after it; what cannot start says why', async () => {
  const owner = await bed.start(sleeper, withPolicy('always'), 'z-owner');
  const sharer = await bed.start(sleeper, withPolicy('always', {PidMode: 'container:z-owner'}), 'a-sharer');
  const Source = join(bed.base, 'source');
  writeFileSync(Source, '');
  const mount = {Mounts: [{Type: 'bind', Source, Target: '/file'} as const]};
  const broken = await bed.start(sleeper, withPolicy('always', mount), 'b-broken');
  for (const id of [sharer, owner, broken]) await shutDown(id);
  rmSync(Source);
  expect(await booted()).toEqual([
    'a-sharer',
    `b-broken: invalid mount config for type "bind": bind source path does not exist: ${Source}`,
    'z-owner',
  ]);
  await removeAll(sharer, owner, broken);
});
