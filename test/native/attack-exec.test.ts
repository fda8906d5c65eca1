import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
import {openFrames} from '../../src/engine/helper/control.ts';
import {frameTypes} from '../../src/engine/helper/frames.ts';
import {encodeOperations, type SetupOperation} from '../../src/engine/helper/operations.ts';
import {
  type Container,
  type ContainerOptions,
  eventually,
  type LaunchMachine,
  openLaunchMachine,
  runToEnd,
} from './launch-machine.ts';
import {makeSpy} from './spy.ts';

let machine: LaunchMachine;
let sentinel: string;

beforeAll(async () => {
  machine = await openLaunchMachine();
  sentinel = join(machine.directory, 'sentinel');
  mkdirSync(sentinel);
  writeFileSync(join(sentinel, 'secret'), 'of the machine');
});

afterAll(async () => {
  await machine.close();
});

const shell = (script: string) => ['sh', '-c', script];

async function outcome(
  options: ContainerOptions,
): Promise<{readonly error?: TscomposeError; readonly stdout: string; readonly stderr: string}> {
  try {
    return await runToEnd(machine, options);
  } catch (error) {
    if (error instanceof TscomposeError) return {error, stdout: '', stderr: ''};
    throw error;
  }
}

async function exec(
  container: Container,
  words: readonly string[],
  operations: readonly SetupOperation[] = [],
): Promise<string> {
  const session = await openFrames(container.paths.control, {
    kind: 'exec',
    tty: false,
    stdin: false,
    rows: 0,
    columns: 0,
    operations: encodeOperations([...operations, {kind: 'argv', words}]),
    id: 'a'.repeat(64),
  });
  let output = '';
  for await (const {type, payload} of session.frames)
    if (type === frameTypes.stdout || type === frameTypes.stderr) output += Buffer.from(payload).toString();
  return output;
}

/** A layer over the usual root. */
function image(name: string, make: (directory: string) => void): readonly string[] {
  const directory = join(machine.directory, `image-${name}`);
  rmSync(directory, {recursive: true, force: true});
  mkdirSync(directory, {recursive: true});
  make(directory);
  return [directory, machine.rootfs];
}

describe('a working directory that leads to a leaked descriptor (CVE-2024-21626)', () => {
  const probe = 'cat ../../../../etc/hostname 2>/dev/null; cat ../../../../../../../../etc/os-release 2>/dev/null; pwd';

  test('of a container', async () => {
    for (let number = 0; number <= 30; number++) {
      const {error, stdout} = await outcome({
        words: shell(probe),
        process: [{kind: 'workdir', target: `/proc/self/fd/${number}`}],
      });
      if (error) expect(error.exitCode, String(number)).toBeGreaterThanOrEqual(125);
      else expect(stdout.startsWith('/'), stdout).toBe(true);
    }
  });

  test('of an exec session', async () => {
    const container = machine.container({words: ['sleep', '1000']});
    await container.launch();
    for (let number = 0; number <= 30; number++) {
      const target = number % 2 === 0 ? `/proc/self/fd/${number}` : `/proc/self/fd/${number}/../../..`;
      const seen = await exec(container, shell(probe), [{kind: 'workdir', target}]).catch(
        (error: TscomposeError) => error,
      );
      if (typeof seen === 'string') expect(seen.startsWith('/'), seen).toBe(true);
      else expect(seen.exitCode).toBeGreaterThanOrEqual(125);
    }
    await container.stop({graceMs: 0});
  });

  test('through a link in the image', async () => {
    const lowers = image('workdir', (directory) => {
      for (let number = 3; number < 12; number++)
        symlinkSync(`/proc/self/fd/${number}`, join(directory, `cwd-${number}`));
    });
    for (let number = 3; number < 12; number++) {
      const {error} = await outcome({
        words: shell(probe),
        lowers,
        process: [{kind: 'workdir', target: `/cwd-${number}`}],
      });
      expect(error?.exitCode).toBeGreaterThanOrEqual(125);
    }
  });
});

describe("the helper as the container's program (CVE-2019-5736)", () => {
  const digest = async () =>
    createHash('sha256')
      .update(readFileSync(await machine.helper.path()))
      .digest('hex');

  test('cannot be written to, neither its file nor the memory it runs from', async () => {
    const before = await digest();
    const lowers = image('self-exe', (directory) => {
      mkdirSync(join(directory, 'bin'), {recursive: true});
      writeFileSync(join(directory, 'bin/again'), '#!/proc/self/exe\n', {mode: 0o755});
    });
    const container = machine.container({
      lowers,
      words: shell(
        'while :; do for pid in /proc/[0-9]*; do if echo overwritten 2>/dev/null > $pid/exe; then case "$(readlink $pid/exe)" in *memfd*) echo WROTE;; esac; fi; done; done 2>/dev/null',
      ),
    });
    await container.launch();
    for (let round = 0; round < 60; round++) await exec(container, ['/bin/again']).catch(() => '');
    await container.stop({graceMs: 0});
    expect(container.text()).not.toContain('WROTE');
    expect(await digest()).toBe(before);
    // The same coprocess still launches from its copy.
    expect((await runToEnd(machine, {words: ['echo', 'fine']})).stdout).toBe('fine\n');
  });

  test('executed as a program is a sealed copy', async () => {
    const {stdout} = await outcome({words: ['/proc/self/exe', 'version']});
    // It may run, as any program of the image may; what matters is that it cannot be changed.
    expect(stdout === '' || stdout.startsWith('{"version"')).toBe(true);
  });
});

test('a process of the container sees nothing of an exec before its program runs', async () => {
  const spy = await makeSpy(machine);
  const container = machine.container(spy);
  await container.launch();
  await eventually(() => container.text().includes('looking'));
  for (let round = 0; round < 40; round++) await Promise.all([exec(container, ['true']), exec(container, ['true'])]);
  await container.stop({graceMs: 0});
  expect(container.text()).toBe('looking\n');
});
