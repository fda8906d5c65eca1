import type {ContainerCreateBody, Mount, WaitCondition} from '../../src/api/types/container.ts';
import type {ContainerUpdateBody} from '../../src/api/types/update.ts';
import {hasKind} from '../../src/base/errors.ts';
import type {Container, LogOptions} from '../../src/client/container.ts';
import {toFacts} from '../e2e/parity/run-stack.mjs';
import {eventually} from '../support/host.ts';
import {containerOf, type Seen, type Step, type World} from './case.ts';
import {inspectLines, listLines, withoutWords} from './describe.ts';
import {isTestImage} from './images.ts';
import {linesBeyond, linesOf, shapeOf} from './lines.ts';
import {outputLines} from './output-lines.ts';

export type Body = Partial<ContainerCreateBody>;

/** A step on a container that the case has made under a name (`it` unless told). */
function on(
  label: string,
  name: string,
  run: (container: Container, world: World) => Promise<readonly string[] | Seen> | Promise<void>,
): Step {
  return {
    label: name === 'it' ? label : `${label} ${name}`,
    run: async (world) => (await run(containerOf(world, name), world)) ?? ['done'],
  };
}

/** Without a network unless stated: what cases are about is mostly something else. */
export function create(
  body: Body = {},
  name = 'it',
  options: {readonly as?: string; readonly platform?: string} = {},
): Step {
  return {
    label: name === 'it' ? 'create' : `create ${name}`,
    run: async (world) => {
      const {Image = 'plain', Labels, HostConfig, ...rest} = world.fill(body);
      const Mounts = HostConfig?.Mounts && (await withImages(world, HostConfig.Mounts));
      const container = await world.bench.docker.createContainer({
        Image: isTestImage(Image) ? await world.bench.image(Image) : Image,
        ...rest,
        name: options.as ?? world.fill(`@${name}`),
        platform: options.platform,
        Labels: {'io.tscompose.test': world.token, ...Labels},
        HostConfig: {NetworkMode: 'none', ...HostConfig, ...(Mounts && {Mounts})},
      });
      world.containers.set(name, container);
      return ['done'];
    },
  };
}

/** Images of the cases have another name at every run. */
function withImages({bench}: World, mounts: readonly Mount[]): Promise<readonly Mount[]> {
  return Promise.all(
    mounts.map(async (mount) => {
      const {Type, Source = ''} = mount;
      return Type === 'image' && isTestImage(Source) ? {...mount, Source: await bench.image(Source)} : mount;
    }),
  );
}

export const start = (name = 'it') => on('start', name, (container) => container.start());

export function wait(condition?: WaitCondition, name = 'it'): Step {
  return on(`wait ${condition ?? ''}`.trimEnd(), name, async (container) =>
    linesOf(await container.wait({condition})).map(withoutWords),
  );
}

/** To its end. */
export const run = (body: Body = {}, name = 'it') => [create(body, name), start(name), wait(undefined, name)];

/** Runs the program that tells what a process sees of its container. */
export const facts = (sections: string, body: Body = {}) =>
  run({...body, Cmd: ['env', `FACTS=${sections}`, 'sh', '/facts']});

/** Runs a line of shell. */
export const line = (text: string, body: Body = {}) => run({...body, Cmd: ['sh', '-c', text]});

/** Says `ready` when it can be told to end, and then ends at once. */
export const waits = ['sh', '-c', 'trap "echo told; exit 5" TERM; echo ready; sleep 1000 & wait'];

export function until(text: string, name = 'it', {times = 1}: {readonly times?: number} = {}): Step {
  return on(`until ${text}`, name, async (container) => {
    await eventually(async () => {
      const {stdout} = await outputLines(await container.logs());
      if (stdout.filter((one) => one.trimEnd() === text).length < times)
        throw new Error(`${stdout.join(', ')}: not ${times} × "${text}" yet`);
    });
  });
}

/** Goes on until it is told to end. */
export const running = (body: Body = {}, name = 'it') => [
  create({Cmd: waits, ...body}, name),
  start(name),
  until('ready', name),
];

export const stop = (options: {readonly t?: number; readonly signal?: string} = {}, name = 'it') =>
  on('stop', name, (container) => container.stop(options));
export const restart = (options: {readonly t?: number; readonly signal?: string} = {}, name = 'it') =>
  on('restart', name, (container) => container.restart(options));
export const kill = (signal?: string, name = 'it') =>
  on(`kill ${signal ?? ''}`.trimEnd(), name, (container) => container.kill({signal}));
export const pause = (name = 'it') => on('pause', name, (container) => container.pause());
export const unpause = (name = 'it') => on('unpause', name, (container) => container.unpause());
export const rename = (to: string, name = 'it') =>
  on(`rename to "${to}"`, name, (container, world) => container.rename({name: world.fill(to)}));
export const remove = (options: {readonly force?: boolean; readonly v?: boolean} = {}, name = 'it') =>
  on('remove', name, (container) => container.remove(options));
export const resize = (h: number, w: number, name = 'it') =>
  on('resize', name, (container) => container.resize({h, w}));
export const update = (body: ContainerUpdateBody, name = 'it') =>
  on('update', name, async (container) => linesOf(await container.update(body)));

/** How it is now: what is not as of a container that was only made. */
export const look = (name = 'it') =>
  on('look', name, async (container, {bench, portable}) => {
    const [summary] = await bench.docker.listContainers({all: true, filters: {id: [container.id]}});
    return {
      inspect: linesBeyond(inspectLines(await container.inspect()).map(portable), bench.baseline.inspect),
      list: summary === undefined ? ['not listed'] : linesBeyond(listLines(summary).map(portable), bench.baseline.list),
    };
  });

/** One of its state's members comes to be so. */
export function becomes(status: string, name = 'it'): Step {
  return on(`becomes ${status}`, name, async (container) => {
    await eventually(async () => {
      const {State} = await container.inspect();
      if (State.Status !== status && State.Health?.Status !== status)
        throw new Error(`it is ${State.Status}, not ${status}`);
    });
  });
}

/** A container that removes itself. */
export function goes(name = 'it'): Step {
  return on('goes', name, async (container) => {
    await eventually(async () => {
      const found: unknown = await container.inspect().catch((error: unknown) => error);
      if (!(found instanceof Error && hasKind(found, 'notFound'))) throw new Error('it is still there');
    });
  });
}

export const logs = (options: LogOptions = {}, name = 'it') =>
  on('logs', name, async (container) => await outputLines(await container.logs(options)));

export function exec(
  body: Parameters<Container['exec']>[0],
  options: {readonly detached?: boolean; readonly input?: string; readonly name?: string} = {},
): Step {
  return on('exec', options.name ?? 'it', async (container, world) => {
    const created = await container.exec({AttachStdout: true, AttachStderr: true, ...world.fill(body)});
    if (options.detached) {
      await created.startDetached(body.Tty ? {Tty: true} : {});
      await eventually(async () => {
        if ((await created.inspect()).Running) throw new Error('the command still runs');
      });
      return {inspect: execLines(await created.inspect())};
    }
    const stream = await created.start(body.Tty ? {Tty: true} : {});
    if (options.input !== undefined) stream.stdin.end(options.input);
    const {stdout, stderr} = await outputLines(stream.output);
    return {...toFacts(stdout.join('\n')), stderr, inspect: execLines(await created.inspect())};
  });
}

function execLines(inspected: Awaited<ReturnType<Awaited<ReturnType<Container['exec']>>['inspect']>>): string[] {
  return linesOf({...inspected, Pid: inspected.Pid > 0 ? '<pid>' : 0});
}

export const top = (psArguments?: string, columns?: readonly string[], name = 'it') =>
  on(`top ${psArguments ?? ''}`.trimEnd(), name, async (container) => {
    const {Titles, Processes} = await container.top({ps_args: psArguments});
    const told = columns ?? Titles;
    const rows = Processes.map((row) => told.map((title) => row[Titles.indexOf(title)] ?? 'missing').join(' '));
    return {titles: Titles, rows: rows.toSorted()};
  });

/** Names and types. Which counters of memory there are is the kernel's. */
export const stats = (name = 'it') =>
  on('stats', name, async (container) =>
    shapeOf(await container.stats({stream: false, oneShot: true})).filter(
      (line) => !line.startsWith('memory_stats.stats.'),
    ),
  );

export const changes = (name = 'it') =>
  on('changes', name, async (container) =>
    (await container.changes()).map(({Path, Kind}) => `${'CAD'[Kind]} ${Path}`).toSorted(),
  );

/** Anything that is asked of an engine and is not of a container. */
export function ask(label: string, run: (world: World) => Promise<readonly string[] | Seen> | Promise<void>): Step {
  return {label, run: async (world) => (await run(world)) ?? ['done']};
}
