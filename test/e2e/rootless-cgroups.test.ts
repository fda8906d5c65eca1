import {randomBytes} from 'node:crypto';
import {chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {readMachine} from '../../src/engine/container/machine.ts';
import {type CommandResult, eventually} from '../support/host.ts';
import {makeUserHost, type UserHost} from '../support/user-host.ts';

const {cgroups} = await readMachine();

/** A part of the hierarchy of version 2 that is given to the user, as systemd does it, with a session in it. */
interface Given extends AsyncDisposable {
  /** The session's commands. */
  tscompose(...args: readonly string[]): Promise<CommandResult>;
  /** Every cgroup in it but the session's. */
  made(): readonly string[];
  pids(path: string): readonly number[];
}

function give(host: UserHost): Given {
  const directory = join(cgroups.v2?.mount ?? '', `tscompose-given-${randomBytes(5).toString('hex')}`);
  const session = join(directory, 'session');
  const make = (path: string) => {
    mkdirSync(path);
    for (const name of ['', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'])
      chownSync(join(path, name), host.userId, host.userId);
  };
  make(directory);
  make(session);
  return {
    tscompose: (...args) => host.tscomposeAfter(`echo $$ > ${session}/cgroup.procs`, args),
    made: () => below(directory).filter((path) => path !== session),
    pids: (path) => readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number),
    // Whoever ended may be there for another moment.
    [Symbol.asyncDispose]: () =>
      eventually(() => {
        writeFileSync(join(directory, 'cgroup.kill'), '1');
        for (const path of below(directory).toReversed()) rmdirSync(path);
        rmdirSync(directory);
      }),
  };
}

/** Every cgroup below, parents first. */
function below(directory: string): readonly string[] {
  return readdirSync(directory, {withFileTypes: true})
    .filter((entry) => entry.isDirectory())
    .flatMap(({name}) => [join(directory, name), ...below(join(directory, name))]);
}

function stack(host: UserHost): void {
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    'services: {sleeper: {image: busybox, command: [sleep, "1000"], network_mode: none, stop_signal: SIGKILL}}\n',
  );
}

test.runIf(cgroups.v2)(
  'what a session put into the cgroups that it was given is found from one without any',
  async () => {
    await using host = await makeUserHost();
    await using given = give(host);
    await host.loadImages(['busybox']);
    stack(host);
    expect(await given.tscompose('up', '-d')).toMatchObject({code: 0});
    const sleeper = host.processes().find(({words}) => words === 'sleep 1000')?.pid ?? 0;
    const own = given.made().find((path) => given.pids(path).includes(sleeper));
    expect(own).toBeDefined();

    const {stdout} = await host.tscompose(['top', 'sleeper']);
    expect(stdout).toContain('sleep 1000');
    const monitor = host.processes().find(({name}) => name.startsWith('tscompose-moni'))?.pid ?? 0;
    expect(given.made().some((path) => path.endsWith('/monitors') && given.pids(path).includes(monitor))).toBe(true);
    process.kill(monitor, 'SIGKILL');
    await eventually(async () => {
      expect((await host.tscompose(['ps', '--all', '--format', '{{.State}}'])).stdout).toBe('exited\n');
    });
    // A cgroup can be removed a moment after its last process was killed.
    await eventually(() => expect(given.made()).not.toContain(own));
    expect(await host.tscompose(['down'])).toMatchObject({code: 0});
    await eventually(() => expect(given.made()).toEqual([]));
    await eventually(() => expect(host.leftovers()).toEqual([]));
  },
);

test.runIf(cgroups.v2)('what was started without a cgroup is found from a session that was given some', async () => {
  await using host = await makeUserHost();
  await using given = give(host);
  await host.loadImages(['busybox']);
  stack(host);
  expect(await host.tscompose(['up', '-d'])).toMatchObject({code: 0});
  expect((await given.tscompose('top', 'sleeper')).stdout).toContain('sleep 1000');
  const {stdout} = await given.tscompose('stats', '--no-stream', '--format', '{{.PIDs}}', 'sleeper');
  expect(stdout).toBe('1\n');
  expect(given.made()).toEqual([]);
  expect(await given.tscompose('down')).toMatchObject({code: 0});
  await eventually(() => expect(host.leftovers()).toEqual([]));
});
