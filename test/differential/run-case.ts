import {randomBytes} from 'node:crypto';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {errorKinds, hasKind, TscomposeError} from '../../src/base/errors.ts';
import type {Container} from '../../src/client/container.ts';
import {EngineError} from '../../src/client/engine-error.ts';
import {toFacts} from '../e2e/parity/run-stack.mjs';
import {eventually} from '../support/host.ts';
import type {Bench} from './bench.ts';
import {NotMade, type Seen, type Step, type World} from './case.ts';
import {eventLine, inspectLines, listLines} from './describe.ts';
import {inPromisedOrder} from './event-order.ts';
import {linesBeyond} from './lines.ts';
import {outputLines} from './output-lines.ts';
import {fill, makePortable} from './portable.ts';

export type CaseAnswer = Readonly<Record<string, Seen>>;

/** Runs the steps, then tells how each of the case's containers is, what it wrote, and all events up to its removal. */
export async function runCase(bench: Bench, steps: readonly (Step | readonly Step[])[]): Promise<CaseAnswer> {
  const token = `t${randomBytes(4).toString('hex')}`;
  const directory = makeDirectory();
  const containers = new Map<string, Container>();
  const names = () => ({
    token,
    directory,
    rootDirectory: bench.rootDirectory,
    ids: [...containers].map(([name, {id}]) => [name, id] as const),
  });
  const world: World = {
    bench,
    token,
    directory,
    label: `io.tscompose.test=${token}`,
    containers,
    images: new Set(),
    others: new Set(),
    fill: (value) => fill(value, {token, directory}),
    portable: (text) => makePortable(names())(text),
  };
  const answer: Record<string, Seen> = {};
  try {
    for (const step of steps.flat()) answer[freeLabel(answer, step.label)] = await observeStep(world, step);
    for (const [name, container] of containers) answer[`${name} at last`] = await observeContainer(world, container);
  } finally {
    await removeAll(world);
    rmSync(directory, {recursive: true, force: true});
  }
  answer['events'] = {events: await collectEvents(world)};
  return answer;
}

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tsc-case-'));
  mkdirSync(join(directory, 'tree'), {mode: 0o755});
  writeFileSync(join(directory, 'tree/file'), 'of the machine\n');
  return directory;
}

function freeLabel(answer: Readonly<Record<string, unknown>>, label: string): string {
  for (let count = 2, free = label; ; count += 1) {
    if (!Object.hasOwn(answer, free)) return free;
    free = `${label} ${count}`;
  }
}

async function observeStep(world: World, step: Step): Promise<Seen> {
  try {
    const seen = await step.run(world);
    return tell(world, Array.isArray(seen) ? {answer: seen as readonly string[]} : (seen as Seen));
  } catch (error) {
    if (error instanceof NotMade) return {answer: [`there is no ${error.message}`]};
    return tell(world, refusalOf(error));
  }
}

/** What an engine answers in place of what it was asked for. Anything else is thrown. */
export function refusalOf(error: unknown): Seen {
  if (!(error instanceof TscomposeError)) throw error;
  const status = error instanceof EngineError ? error.statusCode : errorKinds[error.kind].httpStatus;
  return {error: [`${error.kind} ${status}`], words: [error.message]};
}

function tell(world: World, seen: Seen): Seen {
  return Object.fromEntries(
    Object.entries(seen).map(([name, lines]) => [name, lines.map((line) => world.portable(line))]),
  );
}

/** One that removed itself, or was removed by a step, has nothing more to tell. */
async function observeContainer(world: World, container: Container): Promise<Seen> {
  const {docker, baseline} = world.bench;
  try {
    const inspected = await container.inspect();
    const [summary] = await docker.listContainers({all: true, filters: {id: [container.id]}});
    const inspect = inspectLines(inspected).map(world.portable);
    const list = summary === undefined ? ['not listed'] : listLines(summary).map(world.portable);
    return {
      inspect: linesBeyond(inspect, baseline.inspect),
      list: linesBeyond(list, baseline.list),
      ...(await outputOf(world, container)),
    };
  } catch (error) {
    if (hasKind(error, 'notFound')) return {inspect: ['removed']};
    throw error;
  }
}

/** Standard output in its sections, if it is one of facts. */
async function outputOf(world: World, container: Container): Promise<Seen> {
  const output = await container.logs().catch((error: unknown) => error);
  if (output instanceof EngineError) return {output: [`error ${output.kind} ${output.statusCode}`]};
  if (output instanceof Error) throw output;
  const {stdout, stderr} = await outputLines(output as Awaited<ReturnType<Container['logs']>>);
  const sections = tell(world, toFacts(stdout.join('\n')));
  return {...sections, ...(stderr.length > 0 ? tell(world, {stderr}) : {})};
}

async function removeAll({bench: {docker}, containers, images, token, label}: World): Promise<void> {
  const filters = {label: [label]};
  // Volumes that a request only names have no label.
  const named = {filters: {name: [`${token}-`]}};
  const gone = (error: unknown) => {
    if (!hasKind(error, 'notFound', 'conflict')) throw error;
  };
  for (const container of containers.values()) await container.remove({force: true, v: true}).catch(gone);
  for (const {Id} of await docker.listContainers({all: true, filters}))
    await docker.getContainer(Id).remove({force: true, v: true}).catch(gone);
  for (const image of images) await docker.getImage(image).remove({force: true}).catch(gone);
  // In an order of ours, as there are events of it.
  const networks = (await docker.listNetworks(named)).map(({Name}) => Name);
  const volumes = (await docker.listVolumes(named)).Volumes.map(({Name}) => Name);
  for (const name of networks.toSorted()) await docker.getNetwork(name).remove().catch(gone);
  for (const name of volumes.toSorted()) await docker.getVolume(name).remove().catch(gone);
}

/** Those of the case's things, once the removal of each has been told. */
async function collectEvents(world: World): Promise<string[]> {
  const own = [...[...world.containers.values()].map(({id}) => id), ...world.others];
  await eventually(() => {
    for (const id of own) {
      const isRemoved = world.bench.events.some(({Action, Actor}) => Action === 'destroy' && Actor.ID === id);
      if (!isRemoved) throw new Error(`no event tells that ${id} was removed`);
    }
  });
  const events = world.bench.events.filter(({Actor}) =>
    own.some((id) => Actor.ID === id || Actor.Attributes['container'] === id),
  );
  // What the watcher of a container tells may come after what was done later: its times say when it was.
  const inTime = events.toSorted((a, b) => a.timeNano - b.timeNano);
  return inPromisedOrder(inTime).map((event) => world.portable(eventLine(event)));
}
