import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {engineTransport} from '../../src/backend/builtin.ts';
import {TscomposeError} from '../../src/base/errors.ts';
import {Docker} from '../../src/client/docker.ts';
import {createServer} from '../../src/server/handle.ts';
import {listen} from '../../src/server/listen.ts';
import {cat, fakeEngine, inspected, inspectedExec} from '../server/fake-engine.ts';

type Parts = Parameters<typeof fakeEngine>[0];

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Every way from the client to an engine of this project. */
const ways: Readonly<Record<string, (parts: Parts) => Promise<Docker>>> = {
  'in process': async (parts) => track(new Docker({transport: engineTransport(fakeEngine(parts), {version: '1'})})),
  'in process, encoded': async (parts) =>
    track(new Docker({transport: engineTransport(fakeEngine(parts), {version: '1', encode: true})})),
  'over a socket': async (parts) => {
    const directory = mkdtempSync(join(tmpdir(), 'tsc-client-'));
    closers.push(async () => rmSync(directory, {recursive: true}));
    const socketPath = join(directory, 'engine.sock');
    const listener = await listen(createServer(fakeEngine(parts), {version: '1'}), {socketPath});
    closers.push(() => listener.close());
    return track(new Docker({socketPath}));
  },
};

function track(docker: Docker): Docker {
  closers.push(() => docker.close());
  return docker;
}

async function textOf(chunks: AsyncIterable<{stream: string; data: Uint8Array}>): Promise<string[]> {
  const texts: string[] = [];
  for await (const {stream, data} of chunks) texts.push(`${stream}:${Buffer.from(data).toString()}`);
  return texts;
}

function process(tty = false, greeting?: string) {
  const one = cat(greeting);
  const parts: Parts = {
    containers: {inspect: async () => inspected({Tty: tty}), attach: async () => one},
    execs: {
      create: async () => ({Id: 'e1'}),
      inspect: async () => inspectedExec(tty),
      start: async (_, {detach}) => (detach ? undefined : one),
    },
  };
  return {one, parts};
}

describe.each(Object.entries(ways))('the client %s', (way, open) => {
  it('passes bodies, queries and answers', async () => {
    const given: unknown[] = [];
    const docker = await open({
      containers: {
        create: async (...call) => {
          given.push(call);
          return {Id: 'c0ffee', Warnings: []};
        },
        stop: async (...call) => {
          given.push(call);
        },
        list: async (...call) => {
          given.push(call);
          return [];
        },
      },
    });
    const container = await docker.createContainer({name: 'web', Image: 'ü', Labels: {a: 'b=c'}, Cmd: null});
    expect(container.id).toBe('c0ffee');
    expect(await container.stop({t: -1, signal: 'SIGINT'})).toBeUndefined();
    expect(await docker.listContainers({all: true, filters: {label: ['a=b', 'ü']}})).toEqual([]);
    // In the same process nobody waits until the kernel has cleared up; a client of the API may rely on it.
    const early = way === 'over a socket' ? {} : {returnAtEnd: true};
    expect(given).toEqual([
      [{Image: 'ü', Labels: {a: 'b=c'}, Cmd: null}, {name: 'web'}],
      ['c0ffee', {timeoutSeconds: -1, signal: 'SIGINT', ...early}],
      [{all: true, filters: {label: ['a=b', 'ü']}}],
    ]);
  });

  it('passes references of every kind', async () => {
    const references: string[] = [];
    const inspect = async (reference: string) => {
      references.push(reference);
      return {Id: reference} as never;
    };
    const docker = await open({images: {inspect}, containers: {inspect}, volumes: {inspect}});
    const names = ['docker.io/library/redis:7', 'a@sha256:0f', 'sha256:0f', 'with space', '100%'];
    for (const name of names) expect(await docker.getImage(name).inspect()).toEqual({Id: name});
    for (const name of ['web', 'a/b', '?#']) expect(await docker.getContainer(name).inspect()).toEqual({Id: name});
    await docker.getContainer('/slash').inspect();
    expect(references).toEqual([...names, 'web', 'a/b', '?#', 'slash']);
  });

  it('keeps kind, hint, exit code and status of an error', async () => {
    const docker = await open({
      containers: {
        start: async () => {
          throw new TscomposeError('dependencyFailed', 'cannot start "web": ü', {
            hint: 'look at the logs',
            exitCode: 127,
          });
        },
        stop: async () => {
          throw new TscomposeError('notModified', 'it does not run');
        },
      },
    });
    await expect(docker.getContainer('web').start()).rejects.toMatchObject({
      kind: 'dependencyFailed',
      message: 'cannot start "web": ü',
      hint: 'look at the logs',
      exitCode: 127,
      statusCode: 424,
    });
    await expect(docker.getContainer('web').stop()).rejects.toMatchObject({
      kind: 'notModified',
      statusCode: 304,
      exitCode: 0,
    });
    await expect(docker.getContainer('web').exec({Cmd: []})).rejects.toMatchObject({kind: 'invalid', statusCode: 400});
  });

  it('reads logs with their times, both streams unless told otherwise', async () => {
    const given: unknown[] = [];
    const docker = await open({
      containers: {
        inspect: async () => inspected(),
        logs: async function* (_reference, options) {
          given.push(options);
          yield [
            {stream: 'stdout', data: Buffer.from('out\n'), time: '2026-01-02T03:04:05.5Z'},
            {stream: 'stderr', data: Buffer.from('no line feed'), time: '2026-01-02T03:04:06Z'},
          ];
        },
      },
    });
    const lines: string[] = [];
    for await (const {stream, data, time} of await docker.getContainer('web').logs({tail: 2})) {
      lines.push(`${time} ${stream} ${Buffer.from(data).toString()}`);
    }
    expect(lines).toEqual([
      '2026-01-02T03:04:05.500000000Z stdout out\n',
      '2026-01-02T03:04:06.000000000Z stderr no line feed',
    ]);
    for await (const _ of await docker.getContainer('web').logs({stderr: true}));
    expect(given).toEqual([
      {stdout: true, stderr: true, follow: false, tail: 2},
      {stdout: false, stderr: true, follow: false},
    ]);
  });

  it("reads a terminal's log line by line", async () => {
    const long = 'x'.repeat(16 * 1024);
    const docker = await open({
      containers: {
        inspect: async () => inspected({Tty: true}),
        logs: async function* () {
          for (const text of ['one\r\n', long, 'rest\r\n', 'prompt> ']) {
            yield [{stream: 'stdout', data: Buffer.from(text), time: '2026-01-02T03:04:05Z'}];
          }
        },
      },
    });
    expect(await textOf(await docker.getContainer('web').logs())).toEqual([
      'stdout:one\r\n',
      `stdout:${long}`,
      'stdout:rest\r\n',
      'stdout:prompt> ',
    ]);
  });

  it('connects to a process both ways', async () => {
    const {one, parts} = process();
    const docker = await open(parts);
    const stream = await docker.getContainer('web').attach({stdin: true});
    stream.stdin.write('one ');
    stream.stdin.end('two');
    const texts = await textOf(stream.output);
    expect(texts.at(-1)).toBe('stderr:bye');
    expect(texts.slice(0, -1).join('').replaceAll('stdout:', '')).toBe('one two');
    expect(one.written.join('')).toBe('one two');
  });

  it('splits output into two streams', async () => {
    const {parts} = process();
    const docker = await open(parts);
    const exec = await docker.getContainer('web').exec({Cmd: ['cat'], AttachStdin: true});
    const stream = await exec.start();
    stream.stdin.end('hello');
    const read = async (readable: AsyncIterable<Buffer>) => {
      const pieces: Buffer[] = [];
      for await (const piece of readable) pieces.push(piece);
      return Buffer.concat(pieces).toString();
    };
    // One after the other: what is not read yet waits.
    expect(await read(stream.stderr)).toBe('bye');
    expect(await read(stream.stdout)).toBe('hello');
    expect(() => stream.output).toThrow(TypeError);
  });

  it('has one output with a terminal', async () => {
    const {one, parts} = process(true, '$ ');
    const docker = await open(parts);
    const stream = await docker.getContainer('web').attach({stdin: true});
    await one.closeInput();
    expect((await textOf(stream.output)).join('').replaceAll('stdout:', '')).toBe('$ bye');
  });

  it('starts an exec without a connection', async () => {
    const docker = await open(process().parts);
    const exec = await docker.getContainer('web').exec({Cmd: ['true']});
    expect(await exec.startDetached()).toBeUndefined();
  });

  it('lets go of a process', async () => {
    const {one, parts} = process(false, 'hello');
    const docker = await open(parts);
    const stream = await docker.getContainer('web').attach();
    for await (const _ of stream.output) break;
    stream.close();
    await expect.poll(() => one.detached).toBe(true);
  });

  it('lets go of a process when it is aborted, also while nobody reads', async () => {
    const {one, parts} = process(false, 'hello');
    const docker = await open(parts);
    const controller = new AbortController();
    await docker.getContainer('web').attach({abortSignal: controller.signal});
    controller.abort();
    await expect.poll(() => one.detached).toBe(true);
  });

  it('throws what a progress stream carries', async () => {
    const seen: unknown[] = [];
    const docker = await open({
      images: {
        import: async function* (source, options) {
          for await (const piece of source)
            yield {status: `${options.repository}:${options.tag} ${Buffer.from(piece).toString()}`};
          throw new TscomposeError('exhausted', 'no space left', {hint: 'remove images'});
        },
      },
    });
    const archive = (async function* () {
      yield Buffer.from('archive');
    })();
    const lines = await docker.importImage(archive, {repo: 'app', tag: '1', changes: ['CMD ["sh"]', 'USER 1']});
    await expect(docker.followProgress(lines, (line) => seen.push(line))).rejects.toMatchObject({
      kind: 'exhausted',
      message: 'no space left',
      hint: 'remove images',
    });
    expect(seen).toEqual([{status: 'app:1 archive'}]);
  });

  it('loads an image by its path', async () => {
    const given: unknown[] = [];
    const docker = await open({
      images: {
        load: async function* (source) {
          given.push(source);
          yield {stream: 'Loaded image: app:1\n'};
        },
      },
    });
    expect(await docker.followProgress(await docker.loadImage({path: '/images/oci'}))).toEqual([
      {stream: 'Loaded image: app:1\n'},
    ]);
    expect(given).toEqual([{path: '/images/oci'}]);
  });

  it('ends what is aborted with kind canceled', async () => {
    const forever = async function* (onReady = () => {}): AsyncGenerator<never> {
      onReady();
      await new Promise(() => {});
    };
    const docker = await open({
      ...process().parts,
      containers: {
        ...process().parts?.containers,
        logs: () => forever(),
        wait: (_reference, _condition, _signal, onReady) => {
          onReady?.();
          return new Promise(() => {});
        },
      },
      system: {events: ({onReady}) => forever(onReady)},
    });
    const aborting = async (work: (signal: AbortSignal) => Promise<unknown>) => {
      const controller = new AbortController();
      const ended = work(controller.signal);
      setTimeout(() => controller.abort(), 30);
      await expect(ended).rejects.toMatchObject({kind: 'canceled'});
    };
    const container = docker.getContainer('web');
    await aborting((abortSignal) => container.wait({abortSignal}));
    await aborting(async (abortSignal) => textOf(await container.logs({follow: true, abortSignal})));
    await aborting(async (abortSignal) => textOf((await container.attach({abortSignal})).output));
    await aborting(async (abortSignal) => {
      for await (const _ of await docker.getEvents({abortSignal}));
    });
    await expect(container.wait({abortSignal: AbortSignal.abort()})).rejects.toMatchObject({kind: 'canceled'});
  });

  it('reads events as they come', async () => {
    const asked: ((action: string) => void)[] = [];
    const docker = await open({
      system: {
        events: async function* ({onReady}) {
          onReady?.();
          for (;;) yield {Action: await new Promise<string>((resolve) => asked.push(resolve))} as never;
        },
      },
    });
    const events = (await docker.getEvents({filters: {type: ['container']}}))[Symbol.asyncIterator]();
    const emit = async (action: string) => {
      await expect.poll(() => asked).not.toEqual([]);
      asked.shift()?.(action);
    };
    for (const action of ['create', 'start']) {
      const coming = events.next();
      await emit(action);
      expect((await coming).value).toEqual({Action: action});
    }
    // Over a socket the next one has been asked for already.
    asked.shift()?.('last');
    await events.return?.();
  });
});

describe('what only the built-in engine has', () => {
  it('is a lock on a project', async () => {
    const given: unknown[] = [];
    const acquire = async (...call: unknown[]) => {
      given.push(call);
      return {[Symbol.asyncDispose]: async () => {}};
    };
    const docker = await ways['in process']?.({locks: {acquire}});
    expect(await docker?.lockProject('shop')).toBeDefined();
    expect(given).toEqual([['shop', {}]]);
    expect([...((await docker?.features()) ?? [])]).toEqual(['files', 'sync', 'platforms', 'locks']);
    const remote = await ways['over a socket']?.({});
    expect(await remote?.lockProject('shop')).toBeUndefined();
    expect([...((await remote?.features()) ?? [])]).toEqual(['files', 'sync', 'platforms']);
  });
});
