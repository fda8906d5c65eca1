import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {leaveTop} from '../../../src/engine/container/leave-top.ts';
import {type Machine, readMachine} from '../../../src/engine/container/machine.ts';
import {eventually} from '../../support/host.ts';

const {cgroups} = await readMachine();

/** A machine whose hierarchy begins at a cgroup of the kernel's. */
function machineAt(mount: string, controllers: readonly string[]): Pick<Machine, 'cgroups' | 'limits'> {
  const limits = {controllers: new Set(controllers), files: new Set<string>(), cpus: '', mems: '', processors: 1};
  return {cgroups: {v1: [], v2: {mount}}, limits};
}

const procs = (directory: string) => readFileSync(join(directory, 'cgroup.procs'), 'utf8').trim();

it.runIf(cgroups.v2)(
  'processes at the top of what was given go one down, where there is anything to give on',
  async () => {
    const top = join(cgroups.v2?.mount ?? '', `tscompose-test-${randomBytes(5).toString('hex')}`);
    mkdirSync(top);
    const child = spawn('sleep', ['1000']);
    try {
      writeFileSync(join(top, 'cgroup.procs'), String(child.pid));
      await leaveTop(machineAt(top, []));
      expect(procs(top)).toBe(String(child.pid));
      await leaveTop(machineAt(top, ['pids']));
      expect(procs(top)).toBe('');
      expect(procs(join(top, 'supervisor'))).toBe(String(child.pid));
    } finally {
      child.kill('SIGKILL');
      await eventually(() => {
        if (existsSync(join(top, 'supervisor'))) rmdirSync(join(top, 'supervisor'));
        rmdirSync(top);
      });
    }
  },
);

const isVeryTop = cgroups.v2 !== undefined && !existsSync(join(cgroups.v2.mount, 'cgroup.type'));
it.runIf(isVeryTop)('at the very top of the machine’s everything stays where it is', async () => {
  const mount = cgroups.v2?.mount ?? '';
  await leaveTop(machineAt(mount, ['pids']));
  expect(procs(mount)).not.toBe('');
  expect(existsSync(join(mount, 'supervisor'))).toBe(false);
});
