import {randomBytes} from 'node:crypto';
import type {EngineEvent} from '../../src/api/types/system.ts';
import {hasKind} from '../../src/base/errors.ts';
import type {Docker} from '../../src/client/docker.ts';
import {loadBaseline} from './baseline.ts';
import {importImage, type TestImageName} from './images.ts';
import type {Lines} from './lines.ts';

/** An engine that cases are run on, one after another or many at a time. */
export interface Bench {
  readonly docker: Docker;
  /** Where the engine keeps its things. */
  readonly rootDirectory: string;
  /** What inspect and list say of a container that asks for nothing: of others only what is different is told. */
  readonly baseline: {readonly inspect: Lines; readonly list: Lines};
  /** Every event since the bench was opened, in order; grows. */
  readonly events: readonly EngineEvent[];
  /** Full name of an image, made when it is asked for the first time. */
  image(name: TestImageName): Promise<string>;
  imageReference(name: TestImageName): string;
  /** Removes the images. The engine stays open. */
  close(): Promise<void>;
}

export async function openBench(docker: Docker): Promise<Bench> {
  const repository = `tscompose-test/d${randomBytes(4).toString('hex')}`;
  const imageReference = (name: TestImageName) => `${repository}:${name}`;
  const made = new Map<TestImageName, Promise<string>>();
  const image = (name: TestImageName): Promise<string> => {
    const begun = made.get(name) ?? importImage(docker, name, repository).then(() => imageReference(name));
    made.set(name, begun);
    return begun;
  };
  const controller = new AbortController();
  const events: EngineEvent[] = [];
  const stream = await docker.getEvents({abortSignal: controller.signal});
  const followed = (async () => {
    for await (const event of stream) events.push(event);
  })().catch((error: unknown) => {
    if (!hasKind(error, 'canceled')) throw error;
  });
  const rootDirectory = (await docker.info()).DockerRootDir;
  const baseline = await loadBaseline({docker, rootDirectory, image: await image('plain')});
  return {
    docker,
    rootDirectory,
    baseline,
    events,
    image,
    imageReference,
    async close() {
      controller.abort();
      await followed;
      for (const reference of await Promise.all(made.values())) await docker.getImage(reference).remove({force: true});
    },
  };
}
