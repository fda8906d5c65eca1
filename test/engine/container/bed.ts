import {execFileSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {pack} from 'tar-stream';
import type {ContainerConfig, ContainerCreateBody, ContainerState} from '../../../src/api/types/container.ts';
import {createEngine} from '../../../src/engine/create-engine.ts';
import type {Attachment, Engine, LogOptions} from '../../../src/engine/engine.ts';
import {createLayout, type Layout} from '../../../src/engine/layout.ts';

/** A root of a test's own with a busybox image in it. Several engines may share it, as several commands do. */
export interface Bed {
  readonly base: string;
  readonly layout: Layout;
  readonly engine: Engine;
  readonly cgroupParent: string;
  /** Another process's engine over the same root, as far as locks are concerned. */
  another(): Promise<Engine>;
  /** Creates and starts a container without a network. */
  start(words: readonly string[], body?: ContainerCreateBody, name?: string): Promise<string>;
  create(words: readonly string[], body?: ContainerCreateBody, name?: string): Promise<string>;
  /** Runs a container to its end, and removes it. */
  run(words: readonly string[], body?: ContainerCreateBody): Promise<{readonly code: number; readonly output: string}>;
  logs(id: string, options?: Partial<LogOptions>): Promise<string>;
  exec(
    id: string,
    words: readonly string[],
    options?: {
      readonly user?: string;
      readonly env?: readonly string[];
      readonly input?: string;
      readonly tty?: boolean;
      readonly directory?: string;
    },
  ): Promise<{readonly code: number | null; readonly output: string}>;
  state(id: string): Promise<ContainerState>;
  close(): Promise<void>;
}

const applets = execFileSync('/bin/busybox', ['--list'], {encoding: 'utf8'}).trim().split('\n');

const imageConfig: ContainerConfig = {
  Cmd: ['sh'],
  Env: ['PATH=/bin', 'FROM_IMAGE=1'],
  Labels: {from: 'image'},
  ExposedPorts: {'8080/tcp': {}},
};

export async function makeBed(): Promise<Bed> {
  const id = randomBytes(4).toString('hex');
  const base = mkdtempSync(join(tmpdir(), `tsc-${id}-`));
  const directories = {root: join(base, 'root'), run: join(base, 'run')};
  const cgroupParent = `tsc-test-${id}`;
  const engines: Engine[] = [];
  const open = async () => {
    const engine = await createEngine({
      ...directories,
      cgroupParent,
      helperPath: process.env['TSCOMPOSE_HELPER'],
      hostName: 'machine',
      version: '0.0.0-test',
      nodePath: process.execPath,
      now: Date.now,
    });
    engines.push(engine);
    return engine;
  };
  const engine = await open();
  for await (const {error} of engine.images.load(busyboxArchive())) if (error !== undefined) throw new Error(error);

  const bed: Bed = {
    base,
    layout: createLayout(directories),
    engine,
    cgroupParent,
    another: open,
    async create(words, body = {}, name) {
      const whole = {Image: 'busybox', Cmd: words, ...body, HostConfig: {NetworkMode: 'none', ...body.HostConfig}};
      return (await engine.containers.create(whole, name === undefined ? {} : {name})).Id;
    },
    async start(words, body, name) {
      const created = await bed.create(words, body, name);
      await engine.containers.start(created);
      return created;
    },
    async run(words, body) {
      const started = await bed.start(words, body);
      const {StatusCode} = await engine.containers.wait(started, 'not-running');
      const output = await bed.logs(started);
      await engine.containers.remove(started, {volumes: true});
      return {code: StatusCode, output};
    },
    async logs(container, options = {}) {
      let text = '';
      for await (const chunks of engine.containers.logs(container, {stdout: true, stderr: true, ...options}))
        for (const {data} of chunks) text += Buffer.from(data).toString();
      return text;
    },
    async exec(container, words, {user, env, input, tty = false, directory} = {}) {
      const {Id} = await engine.execs.create(container, {
        Cmd: words,
        AttachStdin: input !== undefined,
        AttachStdout: true,
        AttachStderr: true,
        Tty: tty,
        ...(user ? {User: user} : {}),
        ...(env ? {Env: env} : {}),
        ...(directory ? {WorkingDir: directory} : {}),
      });
      const attachment = (await engine.execs.start(Id, {detach: false})) as Attachment;
      if (input !== undefined) {
        await attachment.write(Buffer.from(input));
        await attachment.closeInput();
      }
      const output = await readAll(attachment);
      return {code: (await engine.execs.inspect(Id)).ExitCode, output};
    },
    state: async (container) => (await engine.containers.inspect(container)).State,
    async close() {
      try {
        for (const {Id} of await engine.containers.list({all: true}))
          await engine.containers.remove(Id, {force: true, volumes: true});
        for (const {Id, Name} of await engine.networks.list())
          if (Name.startsWith('tsc-')) await engine.networks.remove(Id);
      } finally {
        await Promise.all(engines.map((one) => one.close()));
        rmSync(base, {recursive: true, force: true});
      }
    },
  };
  return bed;
}

export async function readAll(attachment: Attachment): Promise<string> {
  let text = '';
  for await (const {data} of attachment.output) text += Buffer.from(data).toString();
  return text;
}

/** Asks until the answer is right; what is wrong in the end is thrown. */
export async function eventually<T>(check: () => Promise<T>, timeoutMs = 30_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** A docker-archive with one image of one layer: the machine's static busybox. */
function busyboxArchive(): AsyncGenerator<Uint8Array> {
  const layer = pack();
  for (const path of ['bin', 'etc', 'proc', 'sys', 'dev', 'root', 'data', 'home'])
    layer.entry({name: `${path}/`, type: 'directory', mode: 0o755});
  layer.entry({name: 'tmp/', type: 'directory', mode: 0o1777});
  layer.entry({name: 'bin/busybox', mode: 0o755}, readFileSync('/bin/busybox'));
  for (const applet of applets)
    if (applet !== 'busybox') layer.entry({name: `bin/${applet}`, type: 'symlink', linkname: 'busybox'});
  layer.entry({name: 'etc/passwd'}, 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n');
  layer.entry({name: 'etc/group'}, 'root:x:0:\napp:x:1000:\nextra:x:77:app\n');
  layer.entry({name: 'data/seed', uid: 1000, gid: 1000, mode: 0o640}, 'from the image\n');
  layer.finalize();
  return archive(Readable.from(layer));
}

async function* archive(layer: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const {createHash} = await import('node:crypto');
  const parts: Buffer[] = [];
  for await (const part of layer) parts.push(Buffer.from(part));
  const content = Buffer.concat(parts);
  const diffId = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const config = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: imageConfig,
    rootfs: {type: 'layers', diff_ids: [diffId]},
  });
  const tar = pack();
  tar.entry({name: 'layer.tar'}, content);
  tar.entry({name: 'config.json'}, config);
  tar.entry(
    {name: 'manifest.json'},
    JSON.stringify([{Config: 'config.json', RepoTags: ['busybox:latest'], Layers: ['layer.tar']}]),
  );
  tar.finalize();
  yield* Readable.from(tar);
}
