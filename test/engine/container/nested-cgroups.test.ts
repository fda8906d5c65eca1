import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {readMachine} from '../../../src/engine/container/machine.ts';
import type {MonitorState} from '../../../src/engine/container/state.ts';
import {type Bed, eventually, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

/** Of a hierarchy of version 1 each, or the one of version 2: cgroups of its own, with a process that it froze there. */
const nesting = `
  cd /sys/fs/cgroup
  sleep 1000 & sleeper=$!
  nest() {
    mkdir -p "$1/inner/deep"
    echo $sleeper > "$1/inner/deep/cgroup.procs"
  }
  if [ -e cgroup.procs ]; then
    nest . && echo 1 > inner/cgroup.freeze
  else
    for top in */; do [ -h "\${top%/}" ] || nest "$top" 2> /dev/null; done
    [ ! -e freezer ] || echo FROZEN > freezer/inner/freezer.state
  fi
  echo nested
  while :; do sleep 0.05; done`;

async function startNesting(): Promise<string> {
  const id = await bed.start(['sh', '-c', nesting], {HostConfig: {Privileged: true}});
  await eventually(async () => expect(await bed.logs(id)).toBe('nested\n'));
  return id;
}

async function cgroupsOf(id: string): Promise<readonly string[]> {
  const {v1, v2} = (await readMachine()).cgroups;
  return [...v1, ...(v2 ? [v2] : [])].map(({mount}) => join(mount, bed.cgroupParent, id));
}

async function expectNoCgroups(id: string): Promise<void> {
  for (const directory of await cgroupsOf(id)) expect(existsSync(directory), directory).toBe(false);
}

it('cgroups that a privileged container made end with it, whatever it froze in them', async () => {
  const id = await startNesting();
  await bed.engine.containers.stop(id, {timeoutSeconds: 0});
  await expectNoCgroups(id);
  await bed.engine.containers.start(id);
  await bed.engine.containers.remove(id, {force: true});
  await expectNoCgroups(id);
});

it('a kill reaches what is frozen again and again', async () => {
  const refreezing = nesting.replace(
    'while :; do sleep 0.05; done',
    'cd inner 2> /dev/null || cd freezer/inner; while :; do echo FROZEN > freezer.state; done 2> /dev/null',
  );
  const id = await bed.start(['sh', '-c', refreezing], {HostConfig: {Privileged: true}});
  await eventually(async () => expect(await bed.logs(id)).toBe('nested\n'));
  await bed.engine.containers.kill(id);
  expect(await bed.engine.containers.wait(id, 'not-running')).toMatchObject({StatusCode: 137});
  await bed.engine.containers.remove(id);
});

it('they are cleared too where the monitor was killed', async () => {
  const id = await startNesting();
  const {monitor = 0} = JSON.parse(readFileSync(bed.layout.container(id).state, 'utf8')) as MonitorState;
  process.kill(monitor, 'SIGKILL');
  await eventually(async () => expect(await bed.state(id)).toMatchObject({Status: 'exited', ExitCode: 137}));
  await expectNoCgroups(id);
  await bed.engine.containers.remove(id);
});
