import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {callMonitor} from '../../src/engine/helper/control.ts';
import {encodeOperations, type MonitorOperation} from '../../src/engine/helper/operations.ts';
import {type Container, eventually, type LaunchMachine, openLaunchMachine, type State} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});
afterAll(async () => {
  await machine.close();
});

const policy = (name: string, maxRetries = 0): MonitorOperation => ({kind: 'restart', policy: name, maxRetries});
const write = (path: string, value: string, optional = false): MonitorOperation => ({
  kind: 'cgroupWrite',
  path,
  value,
  optional,
});

/** A container that runs, and is run again where it has that policy. */
async function launch(name: 'no' | 'always'): Promise<Container> {
  const container = machine.container({words: ['sleep', '1000'], monitor: [policy(name)]});
  await container.launch();
  return container;
}

let records = 0;

/** Puts a record in place with the operations; answers the paths of the new one and of its place, which holds `before`. */
function prepare(): {readonly source: string; readonly target: string} {
  const target = join(machine.directory, `record-${++records}`);
  writeFileSync(target, 'before');
  writeFileSync(`${target}.new`, 'after');
  return {source: `${target}.new`, target};
}

function update(
  container: Container,
  operations: readonly MonitorOperation[],
  paths: {readonly source: string; readonly target: string},
) {
  return callMonitor(container.paths.control, {kind: 'update', operations: encodeOperations(operations), ...paths});
}

/** Stand-ins for files of a cgroup, which a plan only knows by their paths. */
function makeFiles(...contents: readonly string[]): readonly string[] {
  return contents.map((content, index) => {
    const path = join(machine.directory, `file-${records}-${index}`);
    writeFileSync(path, content);
    return path;
  });
}

const read = (path: string) => readFileSync(path, 'utf8').trim();

test('a monitor says that it can be updated', async () => {
  const container = await launch('no');
  expect(await callMonitor(container.paths.control, {kind: 'monitorHello'})).toMatchObject({
    features: ['update', 'networks'],
  });
});

test('limits, restart policy and the record of them change while it runs', async () => {
  const container = await launch('no');
  const pids = container.cgroups.map((path) => join(path, 'pids.max')).find(existsSync);
  if (pids === undefined) throw new Error('no cgroup has pids.max');
  const paths = prepare();
  await update(container, [policy('always'), write(pids, '77'), write(`${pids}.gone`, '1', true)], paths);
  expect(read(pids)).toBe('77');
  expect(read(paths.target)).toBe('after');
  expect(existsSync(paths.source)).toBe(false);
  const {pid} = (await callMonitor<State>(container.paths.control, {kind: 'state'})) as State;
  process.kill(pid, 'SIGKILL');
  await eventually(() => container.state()?.restartCount === 1 && container.state()?.status === 'running');
  // The next run has them too.
  expect(read(pids)).toBe('77');
});

test('what cannot be written is refused whole', async () => {
  const container = await launch('no');
  const paths = prepare();
  const [first = '', second = '', third = ''] = makeFiles('1\n', '22\nof a device\n', '3\n');
  const missing = join(machine.directory, 'missing');
  const writes = [write(first, '5'), write(second, '66'), write(missing, '1'), write(third, '9')];
  await expect(update(container, [policy('no'), ...writes], paths)).rejects.toMatchObject({
    kind: 'notFound',
    message: `cgroup ${missing}: no such file or directory`,
  });
  expect([first, second, third].map((path) => readFileSync(path, 'utf8'))).toEqual(['1\n', '22\nof a device\n', '3\n']);
  expect(read(paths.target)).toBe('before');
  expect(read(paths.source)).toBe('after');
});

test('what cannot be recorded is taken back', async () => {
  const container = await launch('always');
  const {target} = prepare();
  const [first = '', empty = ''] = makeFiles('1\n', '\n');
  const source = join(machine.directory, 'never-made');
  await expect(
    update(container, [policy('no'), write(first, '5'), write(empty, '7')], {source, target}),
  ).rejects.toMatchObject({
    message: `rename ${source}: no such file or directory`,
  });
  expect(read(first)).toBe('1');
  expect(readFileSync(empty, 'utf8')).toBe('\n');
  expect(read(target)).toBe('before');
  // The policy too is as it was: it is run again.
  const {pid, restartCount} = (await callMonitor<State>(container.paths.control, {kind: 'state'})) as State;
  process.kill(pid, 'SIGKILL');
  await eventually(() => (container.state()?.restartCount ?? 0) > restartCount);
});

test('other changes are refused by name', async () => {
  const container = await launch('no');
  const paths = prepare();
  await expect(update(container, [policy('no'), {kind: 'network', mode: 'host'}], paths)).rejects.toMatchObject({
    kind: 'invalid',
    message: 'update network: it cannot change while the container runs',
  });
  await expect(update(container, [], paths)).rejects.toMatchObject({message: 'update: the restart policy is needed'});
  await expect(update(container, [policy('sometimes')], paths)).rejects.toMatchObject({
    message: 'restart sometimes: not a valid value',
  });
  expect(read(paths.target)).toBe('before');
});
