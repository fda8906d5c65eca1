import {chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, expect} from 'vitest';
import {type CommandOptions, type CommandResult, eventually, makeHost} from '../../support/host.ts';
import {makeUserHost} from '../../support/user-host.ts';
import {type CommandHost, down, writeStack} from './hostile.ts';

/** What an attack needs of a machine, whoever the engine runs as. */
export interface AttackHost extends AsyncDisposable {
  /** An empty directory for stack files. */
  readonly directory: string;
  readonly root: string;
  readonly run: string;
  tscompose(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs a command as whoever the engine runs as. */
  command(program: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs a command as root where the engine's bridges are. */
  atBridges(program: string, args: readonly string[]): Promise<CommandResult>;
  /** Every process of the engine and of its containers. */
  processes(): readonly AttackedProcess[];
  leftovers(): readonly string[];
}

export interface AttackedProcess {
  readonly pid: number;
  readonly isContainers: boolean;
}

/** Both engines that each attack is tried against. */
export const attackTargets: readonly AttackTarget[] = [
  {engine: 'of root', rootless: false, open: openOfRoot},
  // With subordinate ids, or no image that has users of its own would run.
  {engine: 'of an ordinary user', rootless: true, open: openOfUser},
];

export interface AttackTarget {
  readonly engine: string;
  readonly rootless: boolean;
  readonly open: () => Promise<AttackHost>;
}

async function openOfRoot(): Promise<AttackHost> {
  const host = await makeHost();
  const cgroupOf = (pid: number) => {
    try {
      return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    } catch {
      // It has ended.
      return '';
    }
  };
  return {
    ...host,
    atBridges: host.command,
    processes: () =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((name) => ({pid: Number(name), cgroup: cgroupOf(Number(name))}))
        .filter(({cgroup}) => cgroup.includes(host.cgroupParent))
        .map(({pid, cgroup}) => ({pid, isContainers: !cgroup.includes(`${host.cgroupParent}/monitors`)})),
  };
}

async function openOfUser(): Promise<AttackHost> {
  const host = await makeUserHost(['ids']);
  const isEngines = (name: string) => name.startsWith('tscompose-');
  return {
    ...host,
    atBridges: (program, args) => {
      const monitor = host.processes().find(({name}) => name.startsWith('tscompose-monit'));
      return host.asRoot('nsenter', [`--net=/proc/${monitor?.pid}/ns/net`, '--', program, ...args]);
    },
    processes: () => host.processes().map(({pid, name}) => ({pid, isContainers: !isEngines(name)})),
  };
}

/** Ends the project, and expects that nothing of it is left on the machine. */
export async function closeAttacked(
  host: CommandHost & Pick<AttackHost, 'leftovers'> & AsyncDisposable,
): Promise<void> {
  try {
    await down(host);
    await expectNothingLeft(host);
  } finally {
    await host[Symbol.asyncDispose]();
  }
}

/** Without root the namespaces go a moment after the last container. */
async function expectNothingLeft(host: Pick<AttackHost, 'leftovers'>): Promise<void> {
  await eventually(() => expect(host.leftovers()).toEqual([]));
}

/** A machine, with a directory that nothing in a container may see or change. */
export interface AttackedMachine {
  readonly host: AttackHost;
  /** The directory, with one file `secret` in it. */
  readonly outside: string;
  /** Its path, so that it leads there from any depth. */
  climbing(): string;
}

/** What is in the directory's file. */
export const ofTheMachine = 'of the machine';

/**
 * One machine for a group of tests. Before each the stack file is the one given; after each the project is taken down, nothing
 * of it is left, and the directory is as it was, whatever the test did.
 */
export function useAttacked({open}: AttackTarget, stack: string): AttackedMachine {
  let current: {readonly host: AttackHost; readonly outside: string} | undefined;
  const machine = () => {
    if (current === undefined) throw new Error('the machine is there within a test only');
    return current;
  };
  beforeAll(async () => {
    const host = await open();
    const outside = join(host.directory, 'outside');
    mkdirSync(outside);
    // Everybody may write to it: what keeps a container out is not a mode.
    chmodSync(outside, 0o777);
    writeFileSync(join(outside, 'secret'), ofTheMachine);
    current = {host, outside};
  });
  beforeEach(() => writeStack(machine().host, stack));
  afterEach(async () => {
    const {host, outside} = machine();
    const files = readdirSync(outside).map((name) => [name, readFileSync(join(outside, name), 'utf8')]);
    const mounts = readFileSync('/proc/self/mounts', 'utf8');
    await down(host);
    await expectNothingLeft(host);
    expect(files).toEqual([['secret', ofTheMachine]]);
    expect(mounts).not.toContain(outside);
  });
  afterAll(() => current?.host[Symbol.asyncDispose]());
  return {
    get host() {
      return machine().host;
    },
    get outside() {
      return machine().outside;
    },
    climbing: () => `${'../'.repeat(20)}${machine().outside.slice(1)}`,
  };
}
