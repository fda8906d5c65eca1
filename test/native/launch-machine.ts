import {randomBytes} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {callMonitor} from '../../src/engine/helper/control.ts';
import {createHelper, type Helper} from '../../src/engine/helper/coprocess.ts';
import {encodeOperations, type MonitorOperation, type SetupOperation} from '../../src/engine/helper/operations.ts';
import {defaultMounts, defaultPath, dockerCapabilities, makeRootfs} from './launch-rootfs.ts';

/** What a monitor writes into its state and exit files. */
export interface State {
  readonly id: string;
  readonly status: 'running' | 'restarting' | 'exited';
  readonly pid: number;
  readonly monitor: number;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly paused: boolean;
  readonly error: string;
  readonly restartCount: number;
  readonly stoppedByUser: boolean;
  readonly logged?: true;
  readonly health?: {
    readonly status: string;
    readonly failingStreak: number;
    readonly log: readonly {
      readonly start: string;
      readonly end: string;
      readonly exitCode: number;
      readonly output: string;
    }[];
  };
}

export interface LogLine {
  readonly log: string;
  readonly stream: string;
  readonly time: string;
}

export interface ContainerOptions {
  readonly words?: readonly string[];
  /** Further steps: before the process's own (files) and after them (the later of two settings counts). */
  readonly mounts?: readonly SetupOperation[];
  readonly process?: readonly SetupOperation[];
  readonly monitor?: readonly MonitorOperation[];
  /** Operations that need to know the container's cgroups. */
  readonly limits?: (cgroups: readonly string[]) => readonly MonitorOperation[];
  /** Instead of `pid,mount,uts,ipc,cgroup`. */
  readonly namespaces?: string;
  readonly network?: string;
  readonly lowers?: readonly string[];
  readonly overlayOptions?: string;
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  readonly stdinOnce?: boolean;
  readonly log?: {readonly maxBytes: number; readonly maxFiles: number} | false;
}

export interface Container {
  readonly id: string;
  readonly directory: string;
  readonly paths: {
    readonly state: string;
    readonly exit: string;
    readonly control: string;
    readonly lock: string;
    readonly log: string;
    readonly upper: string;
  };
  /** Of each hierarchy. */
  readonly cgroups: readonly string[];
  readonly plan: readonly MonitorOperation[];
  launch(): Promise<{readonly pid: number; readonly monitor: number}>;
  state(): State | undefined;
  exit(): State | undefined;
  log(): readonly LogLine[];
  /** Text of one stream of the log. */
  text(stream?: string): string;
  ended(timeoutMs?: number): Promise<State>;
  stop(options?: {readonly signal?: string; readonly graceMs?: number}): Promise<void>;
}

/** Directories, cgroups and a helper of a test's own. Everything that was made goes away with `close`. */
export interface LaunchMachine {
  readonly directory: string;
  readonly helper: Helper;
  /** A root file system with busybox and the usual directories. */
  readonly rootfs: string;
  readonly journal: string;
  container(options?: ContainerOptions): Container;
  events(): readonly {
    readonly action: string;
    readonly id: string;
    readonly attributes: Readonly<Record<string, string>>;
  }[];
  close(): Promise<void>;
}

interface Hierarchy {
  readonly path: string;
  readonly version: 1 | 2;
}

/** Where this machine has its cgroup hierarchies mounted. */
function cgroupHierarchies(): readonly Hierarchy[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, path, type]) => ({path: path ?? '', version: type === 'cgroup2' ? 2 : 1}));
}

export async function openLaunchMachine(): Promise<LaunchMachine> {
  const directory = mkdtempSync(join(tmpdir(), 'tscompose-launch-'));
  const parent = `tscompose-test-${randomBytes(5).toString('hex')}`;
  const hierarchies = cgroupHierarchies();
  const helper = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
  const rootfs = makeRootfs(join(directory, 'rootfs'));
  const journal = join(directory, 'events.ndjson');
  const containers: Container[] = [];
  return {
    directory,
    helper,
    rootfs,
    journal,
    container(options = {}) {
      const container = describeContainer({directory, helper, rootfs, journal, parent, hierarchies}, options);
      containers.push(container);
      return container;
    },
    // A line that is just being written has no end yet.
    events: () =>
      (textIfThere(journal) ?? '')
        .split('\n')
        .slice(0, -1)
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    async close() {
      for (const container of containers) await container.stop({graceMs: 0}).catch(() => undefined);
      await helper.close();
      for (const {path} of hierarchies) {
        for (const name of ['monitors', '']) await removeCgroup(join(path, parent, name));
      }
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

interface Place {
  readonly directory: string;
  readonly helper: Helper;
  readonly rootfs: string;
  readonly journal: string;
  readonly parent: string;
  readonly hierarchies: readonly Hierarchy[];
}

function describeContainer(place: Place, options: ContainerOptions): Container {
  const id = randomBytes(32).toString('hex');
  const directory = join(place.directory, id.slice(0, 12));
  for (const name of ['upper', 'work']) mkdirSync(join(directory, name), {recursive: true});
  const paths = {
    state: join(directory, 'state.json'),
    exit: join(directory, 'exit.json'),
    control: join(directory, 'control.sock'),
    lock: join(directory, 'lock'),
    log: join(directory, 'json.log'),
    upper: join(directory, 'upper'),
  };
  const cgroups = place.hierarchies.map(({path}) => join(path, place.parent, id));
  const read = (path: string): State | undefined => {
    const text = textIfThere(path);
    return text === undefined ? undefined : (JSON.parse(text) as State);
  };
  const plan = planOf(place, {id, directory, paths, cgroups}, options);
  const container: Container = {
    id,
    directory,
    paths,
    cgroups,
    plan,
    launch: () => place.helper.request({kind: 'launch', plan: encodeOperations(plan)}),
    state: () => read(paths.state),
    exit: () => read(paths.exit),
    // A line that is just being written has no end yet.
    log: () =>
      (textIfThere(paths.log) ?? '')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as LogLine),
    text: (stream = 'stdout') =>
      container
        .log()
        .filter((line) => line.stream === stream)
        .map((line) => line.log)
        .join(''),
    ended: async (timeoutMs = 30_000) => {
      await eventually(() => existsSync(paths.exit) && !existsSync(paths.control), timeoutMs);
      return read(paths.exit) as State;
    },
    stop: async ({signal = '', graceMs} = {}) => {
      await callMonitor(paths.control, {kind: 'stopContainer', signal, graceMs: graceMs ?? ''});
    },
  };
  return container;
}

function planOf(
  place: Place,
  {id, directory, paths, cgroups}: Pick<Container, 'id' | 'directory' | 'paths' | 'cgroups'>,
  options: ContainerOptions,
): readonly MonitorOperation[] {
  const words = options.words ?? ['true'];
  return [
    {kind: 'identity', id, name: id.slice(0, 12)},
    {kind: 'paths', state: paths.state, exit: paths.exit, control: paths.control, lock: paths.lock},
    ...(options.log === false
      ? []
      : [{kind: 'log', path: paths.log, ...(options.log ?? {maxBytes: 0, maxFiles: 1})} as const]),
    {kind: 'stop', signal: 'SIGTERM', graceMs: 2000},
    {kind: 'events', journal: place.journal, attributes: '"name":"test"'},
    ...place.hierarchies.map(
      ({path, version}) => ({kind: 'monitorCgroup', path: join(path, place.parent, 'monitors'), version}) as const,
    ),
    ...cgroups.map((path, index) => ({kind: 'cgroup', path, version: place.hierarchies[index]?.version ?? 1}) as const),
    {kind: 'namespaces', list: options.namespaces ?? 'pid,mount,uts,ipc,cgroup'},
    {kind: 'network', mode: options.network ?? 'new'},
    {
      kind: 'stdio',
      tty: options.tty ?? false,
      openStdin: options.openStdin ?? false,
      stdinOnce: options.stdinOnce ?? false,
      rows: 0,
      columns: 0,
    },
    ...(options.monitor ?? []),
    ...(options.limits?.(cgroups) ?? []),
    {
      kind: 'process',
      operations: encodeOperations([
        {
          kind: 'overlay',
          upper: paths.upper,
          work: join(directory, 'work'),
          options: options.overlayOptions ?? '',
          lowers: options.lowers ?? [place.rootfs],
        },
        ...defaultMounts(),
        ...(options.mounts ?? []),
        {kind: 'hostname', name: 'box'},
        {kind: 'user', user: ''},
        {
          kind: 'capabilities',
          bounding: dockerCapabilities,
          effective: dockerCapabilities,
          permitted: dockerCapabilities,
          inheritable: '0',
          ambient: '0',
        },
        {kind: 'workdir', target: '/'},
        {kind: 'env', variables: [defaultPath]},
        {kind: 'argv', words},
        ...(options.process ?? []),
      ]),
    },
  ];
}

/** A monitor removes and renames its files whenever it likes. */
function textIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Waits until it is so. Throws after the time. */
export async function eventually(check: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${check.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function removeCgroup(path: string): Promise<void> {
  if (!existsSync(path)) return;
  await eventually(() => {
    for (const entry of readdirSync(path, {withFileTypes: true}))
      if (entry.isDirectory()) rmdirQuietly(join(path, entry.name));
    return rmdirQuietly(path);
  }, 5000).catch(() => undefined);
}

function rmdirQuietly(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    return !existsSync(path);
  }
}

/** Runs the words to their end. */
export async function runToEnd(
  machine: LaunchMachine,
  options: ContainerOptions,
): Promise<{readonly state: State; readonly stdout: string; readonly stderr: string}> {
  const container = machine.container(options);
  await container.launch();
  const state = await container.ended();
  return {state, stdout: container.text('stdout'), stderr: container.text('stderr')};
}
