import {existsSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {type LongCommand, startCommand} from '../support/watching.ts';

let host: TestHost;

beforeAll(async () => {
  host = await makeHost();
  await loadImages(host, ['busybox']);
});

afterAll(async () => {
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

/** A build of one step that mounts the cache `id`. */
function start(name: string, id: string, sharing: string, script: string): LongCommand {
  const file = join(host.directory, `${name}.Dockerfile`);
  writeFileSync(
    file,
    `FROM busybox\nRUN --mount=type=cache,id=${id},target=/c,sharing=${sharing} : ${name}; ${script}\n`,
  );
  return startCommand(host, ['engine', 'build', '--no-cache', '-f', file, host.directory]);
}

/** Stays in it until somebody says go. */
const stay = 'touch /c/in; until test -e /c/go; do sleep 0.02; done; rm /c/in';

const ended = async (command: LongCommand) => {
  const code = await command.exited;
  expect({code, stderr: code === 0 ? '' : command.stderr()}).toEqual({code: 0, stderr: ''});
};

const mounts = () => join(host.root, 'build/mounts');

/** Where the step that stays is. */
async function place(): Promise<string> {
  return await eventually(() => {
    const found = readdirSync(mounts()).find((name) => existsSync(join(mounts(), name, 'data/in')));
    if (found === undefined) throw new Error('nobody is in it');
    return join(mounts(), found, 'data');
  });
}

describe('a cache mount of two processes', () => {
  test('that is shared is one and the same at the same time', async () => {
    await using first = start('first', 'shared', 'shared', stay);
    await place();
    await using second = start('second', 'shared', 'shared', 'test -e /c/in && touch /c/go');
    await ended(second);
    await ended(first);
  });

  test('that is locked is had by one after the other, and one that is private is another meanwhile', async () => {
    await using first = start('first', 'locked', 'locked', stay);
    const data = await place();
    await using second = start('second', 'locked', 'locked', 'test ! -e /c/in && touch /c/second');
    await second.says('RUN --mount');
    // It comes to its end while the second waits for the first.
    await using third = start('third', 'locked', 'private', 'test ! -e /c/in && touch /c/third');
    await ended(third);
    expect(existsSync(join(data, 'second'))).toBe(false);
    expect(existsSync(join(data, 'third'))).toBe(false);
    writeFileSync(join(data, 'go'), '');
    await ended(first);
    await ended(second);
    expect(existsSync(join(data, 'second'))).toBe(true);
  });

  test('that several begin at once is made by one of them, whole', async () => {
    const script = 'test "$(stat -c %a:%u /c)" = 700:5 && test "$(cat /c/seed)" = seed';
    const text = (number: number) =>
      `FROM busybox AS seed\nRUN mkdir /s && echo seed >/s/seed\nFROM busybox\nRUN --mount=type=cache,id=begun,target=/c,from=seed,source=/s,mode=0700,uid=5 : ${number}; ${script}\n`;
    const commands = [1, 2, 3].map((number) => {
      const file = join(host.directory, `begun-${number}.Dockerfile`);
      writeFileSync(file, text(number));
      return startCommand(host, ['engine', 'build', '-f', file, host.directory]);
    });
    for (const command of commands) await ended(command);
  });

  test('of two steps that take the same two in another order never wait for each other', async () => {
    const build = (name: string, [one, two]: readonly [string, string]) => {
      const file = join(host.directory, `${name}.Dockerfile`);
      const mount = (id: string, target: string) => `--mount=type=cache,id=${id},target=${target},sharing=locked`;
      const twice = mount(one, '/z');
      writeFileSync(file, `FROM busybox\nRUN ${mount(one, '/x')} ${mount(two, '/y')} ${twice} : ${name}\n`);
      return startCommand(host, ['engine', 'build', '--no-cache', '-f', file, host.directory]);
    };
    for (const round of [1, 2, 3]) {
      const commands = [build(`ab-${round}`, ['a', 'b']), build(`ba-${round}`, ['b', 'a'])];
      for (const command of commands) await ended(command);
    }
  });
});
