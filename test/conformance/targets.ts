import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, it} from 'vitest';
import type {ContainerCreateBody} from '../../src/api/types/container.ts';
import {hasKind} from '../../src/base/errors.ts';
import type {Container} from '../../src/client/container.ts';
import {Docker} from '../../src/client/docker.ts';
import {createServer} from '../../src/server/handle.ts';
import {listen} from '../../src/server/listen.ts';
import {openTestEngine} from './builtin-engine.ts';
import {taggedArchive} from './image.ts';

/** An engine that the suite runs against, with the image `image` in it. Everything made carries the label `label`. */
export interface Target {
  readonly docker: Docker;
  /** A busybox whose command is `sh`. */
  readonly image: string;
  readonly label: string;
  /** A name that nobody else uses. */
  name(suffix: string): string;
  /** A container with our label; its command unless stated waits and ends at once when told to. */
  create(body?: Partial<ContainerCreateBody> & {readonly name?: string}): Promise<Container>;
  /** The same, started. */
  run(body?: Partial<ContainerCreateBody> & {readonly name?: string}): Promise<Container>;
}

/** Skips a test with what an engine refuses by name. */
export function skipUnsupported(context: {skip(note?: string): never}): (error: unknown) => never {
  return (error) => {
    if (hasKind(error, 'unsupported')) context.skip(error.message);
    throw error;
  };
}

interface Opened {
  readonly docker: Docker;
  close(): Promise<void>;
}

const dockerSocket = process.env['TSCOMPOSE_TEST_DOCKER'] ?? '';

const targets: readonly {readonly name: string; readonly missing?: string; open(): Promise<Opened>}[] = [
  {name: 'built-in engine in process', open: async () => openTestEngine({encode: true})},
  {name: 'built-in engine over a socket', open: openOverSocket},
  {
    name: 'Docker Engine',
    ...(dockerSocket === '' ? {missing: 'TSCOMPOSE_TEST_DOCKER names no socket of a Docker Engine'} : {}),
    open: async () => {
      const docker = new Docker({socketPath: dockerSocket});
      return {docker, close: () => docker.close()};
    },
  },
];

/** Declares the same tests for every target; one that cannot be used says why. */
export function describeTargets(title: string, tests: (target: Target) => void): void {
  for (const {name, missing, open} of targets) {
    describe(`${title}: ${name}`, () => {
      if (missing !== undefined) {
        it.skip(`not run: ${missing}`);
        return;
      }
      const id = `tsc-${randomBytes(4).toString('hex')}`;
      let opened: Opened | undefined;
      const docker = () => {
        if (opened === undefined) throw new Error('the engine is not open');
        return opened.docker;
      };
      const target: Target = {
        get docker() {
          return docker();
        },
        image: `tscompose-test/${id}:busybox`,
        label: `io.tscompose.test=${id}`,
        name: (suffix) => `${id}-${suffix}`,
        create: ({Labels, HostConfig, ...body} = {}) =>
          docker().createContainer({
            Image: target.image,
            Cmd: ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait'],
            ...body,
            Labels: {'io.tscompose.test': id, ...Labels},
            HostConfig: {NetworkMode: 'none', ...HostConfig},
          }),
        run: async (body) => {
          const container = await target.create(body);
          await container.start();
          return container;
        },
      };
      beforeAll(async () => {
        opened = await open();
        await docker().followProgress(await docker().loadImage(taggedArchive(target.image)));
      });
      afterAll(async () => {
        if (opened === undefined) return;
        try {
          await removeAll(opened.docker, target);
        } finally {
          await opened.close();
        }
      });
      tests(target);
    });
  }
}

/** The built-in engine as a service: a stop is answered when nothing of the container is left. */
export async function openOverSocket(): Promise<Opened> {
  const directory = mkdtempSync(join(tmpdir(), 'tsc-conformance-'));
  const socketPath = join(directory, 'engine.sock');
  const builtin = await openTestEngine({encode: false});
  const listener = await listen(createServer(builtin.engine, {version: '0.0.0'}), {socketPath});
  const docker = new Docker({socketPath});
  return {
    docker,
    close: async () => {
      await docker.close();
      await listener.close();
      await builtin.close();
      rmSync(directory, {recursive: true});
    },
  };
}

async function removeAll(docker: Docker, {label, image}: Target): Promise<void> {
  const filters = {label: [label]};
  for (const {Id} of await docker.listContainers({all: true, filters})) {
    await unlessGone(docker.getContainer(Id).remove({force: true, v: true}));
  }
  for (const {Id} of await docker.listNetworks({filters})) await unlessGone(docker.getNetwork(Id).remove());
  for (const {Name} of (await docker.listVolumes({filters})).Volumes) await unlessGone(docker.getVolume(Name).remove());
  // By name: other files of this suite use the same image under names of their own.
  const repository = image.slice(0, image.indexOf(':') + 1);
  for (const {RepoTags} of await docker.listImages()) {
    for (const tag of RepoTags.filter((one) => one.startsWith(repository)))
      await unlessGone(docker.getImage(tag).remove());
  }
}

async function unlessGone(removed: Promise<unknown>): Promise<void> {
  await removed.catch((error: unknown) => {
    if (!hasKind(error, 'notFound', 'conflict')) throw error;
  });
}
