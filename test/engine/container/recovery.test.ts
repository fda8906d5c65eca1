import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {build} from 'esbuild';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {readBootId} from '../../../src/engine/clock.ts';
import {readMachine} from '../../../src/engine/container/machine.ts';
import {takeMonitorLock} from '../../../src/engine/container/monitor-lock.ts';
import type {MonitorState} from '../../../src/engine/container/state.ts';
import type {Helper} from '../../../src/engine/helper/coprocess.ts';
import {locateHelper} from '../../../src/engine/helper/locate.ts';
import {temporaryPrefix} from '../../../src/engine/record-store.ts';
import {type Bed, eventually, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

function monitorState(id: string): MonitorState {
  return JSON.parse(readFileSync(bed.layout.container(id).state, 'utf8')) as MonitorState;
}

/** Resolves once it is dead: a signal takes a moment to arrive. */
async function killMonitor(id: string): Promise<MonitorState> {
  const state = monitorState(id);
  const monitor = state.monitor ?? 0;
  process.kill(monitor, 'SIGKILL');
  await eventually(async () => expect(isAlive(monitor)).toBe(false));
  return state;
}

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function expectNothingLeft(): Promise<void> {
  expect(readdirSync(bed.layout.containers)).toEqual([]);
  expect(readdirSync(bed.layout.names)).toEqual([]);
  expect(readdirSync(join(bed.layout.run, 'containers'))).toEqual([]);
  const {cgroups} = await readMachine();
  for (const mount of [...cgroups.v1, ...(cgroups.v2 ? [cgroups.v2] : [])].map((hierarchy) => hierarchy.mount)) {
    expect(existsSync(join(mount, bed.cgroupParent))).toBe(false);
  }
}

const sleeper = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'];

describe('a monitor that is killed', () => {
  it('leaves a volume mounted, until whoever looks unmounts it', async () => {
    await bed.engine.volumes.create({Name: 'memory', DriverOpts: {type: 'tmpfs', device: 'tmpfs'}});
    const place = bed.layout.volume('memory').data;
    const isMounted = () => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${place} `);
    const body = {HostConfig: {Binds: ['memory:/m'], RestartPolicy: {Name: 'no'} as const}};
    const id = await bed.start(['sh', '-c', 'echo stale >/m/file; while :; do sleep 0.05; done'], body);
    await killMonitor(id);
    expect(isMounted()).toBe(true);
    expect(await bed.state(id)).toMatchObject({Status: 'exited', Error: 'monitor lost'});
    expect(isMounted()).toBe(false);
    // What was left by one is not seen by the next, even where nobody has looked meanwhile.
    const again = await bed.start(sleeper, body);
    expect((await bed.exec(again, ['ls', '/m'])).output).toBe('');
    await bed.engine.containers.remove(again, {force: true});
    await bed.engine.containers.remove(id, {});
    expect(isMounted()).toBe(false);
    await bed.engine.volumes.remove('memory');
  });

  it('takes its container along; whoever looks finds it exited', async () => {
    const since = Date.now() / 1000;
    const id = await bed.start(sleeper, {HostConfig: {Binds: ['kept:/k']}}, 'lost');
    const {pid = 0} = await killMonitor(id);
    await eventually(async () => expect(existsSync(`/proc/${pid}`)).toBe(false));
    expect(await bed.state(id)).toMatchObject({Status: 'exited', ExitCode: 137, Error: 'monitor lost', Pid: 0});
    expect((await bed.engine.containers.list({all: true}))[0]).toMatchObject({State: 'exited'});
    const dies = [];
    for await (const {Type, Action, Actor} of bed.engine.system.events({
      since,
      until: Date.now() / 1000 + 0.01,
      filters: {event: ['die', 'disconnect', 'unmount']},
    }))
      dies.push([Type, Action, Actor.Attributes['container'] ?? Actor.ID, Actor.Attributes['exitCode']]);
    expect(dies).toEqual([
      ['container', 'die', id, '137'],
      ['network', 'disconnect', id, undefined],
      ['volume', 'unmount', id, undefined],
    ]);
    await bed.engine.containers.start(id);
    expect((await bed.state(id)).Running).toBe(true);
    await killMonitor(id);
    await bed.engine.containers.remove(id, {force: true});
    await bed.engine.volumes.remove('kept');
    await expectNothingLeft();
  });

  it('is noticed by who waits, and by who stops or starts', async () => {
    const id = await bed.start(sleeper);
    const waits: Promise<{readonly StatusCode: number}>[] = [];
    for (const condition of ['not-running', 'next-exit'] as const)
      await new Promise<void>((waiting) =>
        waits.push(bed.engine.containers.wait(id, condition, undefined, () => waiting())),
      );
    await killMonitor(id);
    for (const result of await Promise.all(waits)) expect(result.StatusCode).toBe(137);
    await bed.engine.containers.start(id);
    await killMonitor(id);
    await bed.engine.containers.stop(id);
    await bed.engine.containers.start(id);
    await killMonitor(id);
    await bed.engine.containers.start(id);
    expect((await bed.state(id)).Running).toBe(true);
    await bed.engine.containers.remove(id, {force: true});
  });

  it('has its container started again by policy, once', async () => {
    const id = await bed.start(sleeper, {HostConfig: {RestartPolicy: {Name: 'always'}}});
    const before = await killMonitor(id);
    const others = await Promise.all(Array.from({length: 4}, () => bed.another()));
    await Promise.all(others.map((engine) => engine.containers.list()));
    await eventually(async () => expect((await bed.state(id)).Running).toBe(true));
    expect(monitorState(id).monitor).not.toBe(before.monitor);
    await bed.engine.containers.stop(id);
    expect((await bed.state(id)).Running).toBe(false);
    await bed.engine.containers.remove(id);
    await expectNothingLeft();
  });
});

describe('a command that is killed', () => {
  it('25 times at any moment leaves nothing that the next one does not repair', async () => {
    const program = join(bed.base, 'churn.mjs');
    await build({
      entryPoints: [join(import.meta.dirname, 'churn.ts')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      banner: {js: "import {createRequire} from 'node:module';const require=createRequire(import.meta.url);"},
      logLevel: 'error',
    });
    const helper = await locateHelper(process.env['TSCOMPOSE_HELPER']);
    const seed = Date.now() % 100_000;
    let random = seed;
    const next = () => {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
      return random / 2_147_483_648;
    };
    const {root, run} = bed.layout;
    const seen = new Set<string>();
    for (let round = 0; round < 25; round++) {
      const child = spawn(process.execPath, [program, root, run, bed.cgroupParent], {
        env: {...process.env, TSCOMPOSE_HELPER: helper},
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await ready(child);
      // Longer where the machine is so busy that no container was whole yet.
      await delay(next() * (seen.has('whole') ? 250 : 250 * (round + 1)));
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      for (const entry of readdirSync(bed.layout.containers))
        seen.add(entry.startsWith(temporaryPrefix) ? 'unfinished' : 'whole');
      // The next command repairs, once the dead one's helper has noticed and freed its locks.
      await eventually(async () => {
        for (const {Id} of await bed.engine.containers.list({all: true})) {
          await bed.engine.containers.remove(Id, {force: true, volumes: true});
        }
        await expectNothingLeft();
      });
      const anonymous = (await bed.engine.volumes.list()).filter(({Name}) => Name !== 'named');
      expect(anonymous, `seed ${seed}, round ${round}`).toEqual([]);
    }
    expect(seen, `seed ${seed}`).toContain('whole');
    await bed.engine.volumes.remove('named', {force: true});
  }, 600_000);
});

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`the program ended with ${code}`)));
  });
}

describe('a record that a power loss left damaged', () => {
  it('of an end says that it is not known, and stops nobody', async () => {
    const id = await bed.start(sleeper);
    await bed.engine.containers.stop(id);
    for (const text of ['', '{"v":1}', '\0\0\0']) {
      writeFileSync(bed.layout.container(id).exit, text);
      expect(await bed.state(id)).toMatchObject({
        Status: 'exited',
        ExitCode: 137,
        Error: 'the record of its end is damaged',
      });
      expect((await bed.engine.containers.list({all: true}))[0]).toMatchObject({State: 'exited'});
    }
    await bed.engine.containers.start(id);
    expect(await bed.state(id)).toMatchObject({Running: true});
    await bed.engine.containers.remove(id, {force: true});
    await expectNothingLeft();
  });

  it('of a run is made good by the monitor, or given up with it', async () => {
    const id = await bed.start(sleeper);
    const {pid, monitor = 0} = monitorState(id);
    writeFileSync(bed.layout.container(id).state, 'damaged');
    expect(await bed.state(id)).toMatchObject({Running: true, Pid: pid});
    process.kill(monitor, 'SIGKILL');
    await eventually(async () => expect(isAlive(monitor)).toBe(false));
    expect(await bed.state(id)).toMatchObject({Running: false});
    await bed.engine.containers.start(id);
    expect(await bed.state(id)).toMatchObject({Running: true});
    writeFileSync(bed.layout.container(id).state, 'damaged');
    await bed.engine.containers.stop(id);
    expect(await bed.state(id)).toMatchObject({Status: 'exited'});
    await bed.engine.containers.remove(id);
    await expectNothingLeft();
  });

  it('of a container itself is told to who asks for it, and stops no other', async () => {
    const damaged = await bed.create(sleeper, {}, 'damaged');
    const other = await bed.create(sleeper, {}, 'other');
    const {config} = bed.layout.container(damaged);
    const whole = readFileSync(config);
    writeFileSync(config, whole.subarray(0, 100));
    expect((await bed.engine.containers.list({all: true})).map(({Id}) => Id)).toEqual([other]);
    const told = {kind: 'internal', message: `the record ${config} is damaged: it is not JSON`};
    await expect(bed.engine.containers.inspect('damaged')).rejects.toMatchObject(told);
    await expect(bed.create(sleeper, {}, 'damaged')).rejects.toMatchObject(told);
    writeFileSync(config, whole);
    for (const id of [damaged, other]) await bed.engine.containers.remove(id);
    await expectNothingLeft();
  });
});

it('a monitor whose files somebody removed is told of, with what ends it, instead of being waited for', async () => {
  const id = await bed.start(sleeper);
  const {run, lock} = bed.layout.container(id);
  const {monitor = 0} = monitorState(id);
  rmSync(run, {recursive: true});
  const helper = {tryLock: async () => undefined} as unknown as Helper;
  const looking = {layout: bed.layout, bootId: readBootId(), helper};
  await expect(takeMonitorLock(looking, id, 20)).rejects.toMatchObject({
    kind: 'conflict',
    message: `the monitor of container ${id} lives, but its files in ${run} are gone`,
    hint: `end it, and its container with it: fuser -k ${lock}`,
  });
  process.kill(monitor, 'SIGKILL');
  await eventually(async () => expect(isAlive(monitor)).toBe(false));
  await bed.engine.containers.remove(id, {force: true});
  await expectNothingLeft();
});
