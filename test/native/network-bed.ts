import {type ChildProcess, fork, spawn, spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {createInterface} from 'node:readline';

const native = resolve(import.meta.dirname, '../../native');

/** Builds a small program of native/test and returns its path. */
export function nativeProgram(name: string): string {
  const target = `build/program/${name}`;
  const {status, stderr, stdout} = spawnSync('make', ['-s', '-C', native, target], {encoding: 'utf8'});
  if (status !== 0) throw new Error(`make -C native ${target} failed:\n${stdout}${stderr}`);
  return join(native, target);
}

/** A process in a namespace. Functions run there by their source: they see nothing but their arguments. */
export interface Peer {
  run<A extends readonly unknown[], R>(task: (...args: A) => R, ...args: A): Promise<Awaited<R>>;
}

export interface ChildOptions {
  /** Lines of configuration, see native/test/network-child-driver.c. The namespace is added. */
  readonly lines: readonly string[];
  readonly sanitized?: boolean;
  /** Words put before the driver's, as a program that runs it. */
  readonly under?: readonly string[];
}

/** A network child started by the driver, which runs in the machine's namespace. */
export interface NetworkChild {
  readonly pid: number;
  readonly driverPid: number;
  /** Closes the broker: the child ends with its last connection. */
  drain(): void;
  /** Resolves with the wait status when the child ended by itself. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

/** Two network namespaces, one as the machine's, one as a container's, with a process in each. */
export interface NetworkBed extends AsyncDisposable {
  readonly machineNamespace: string;
  readonly containerNamespace: string;
  readonly directory: string;
  readonly machine: Peer;
  readonly container: Peer;
  /** Throws the driver's line, `error ERRNO STEP`, where the child does not come up. */
  start(options: ChildOptions): Promise<NetworkChild>;
  /** Runs a shell command in the container's namespace. */
  inContainer(command: string): {readonly status: number | null; readonly stdout: string; readonly stderr: string};
}

export async function makeNetworkBed(): Promise<NetworkBed> {
  const id = randomBytes(4).toString('hex');
  const namespaces = {machine: `tsbm-${id}`, container: `tsbc-${id}`};
  const directory = mkdtempSync('/tmp/tsb-');
  const started: ChildProcess[] = [];
  const children: NetworkChild[] = [];
  for (const name of Object.values(namespaces)) {
    must('ip', ['netns', 'add', name]);
    must('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  }
  // As a container has addresses beside 127.0.0.1: resolvers look which families are in use.
  for (const address of [['172.30.0.2/24'], ['fd30::2/64', 'nodad']]) {
    must('ip', ['-n', namespaces.container, 'address', 'add', 'dev', 'lo', ...address]);
  }
  const peer = (namespace: string): Peer => {
    const process = startPeer(namespace);
    started.push(process);
    return makePeer(process);
  };
  return {
    machineNamespace: namespaces.machine,
    containerNamespace: namespaces.container,
    directory,
    machine: peer(namespaces.machine),
    container: peer(namespaces.container),
    async start(options) {
      const child = await startChild(namespaces, options);
      children.push(child);
      return child;
    },
    inContainer: (command) =>
      spawnSync('nsenter', [`--net=/run/netns/${namespaces.container}`, 'sh', '-c', command], {
        encoding: 'utf8',
        timeout: 100_000,
      }),
    async [Symbol.asyncDispose]() {
      for (const child of children) await child.stop();
      for (const process of started) process.kill('SIGKILL');
      for (const name of Object.values(namespaces)) must('ip', ['netns', 'delete', name]);
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

function must(program: string, args: readonly string[]): void {
  const {status, stderr, error} = spawnSync(program, args, {encoding: 'utf8'});
  if (status !== 0)
    throw new Error(`${program} ${args.join(' ')}: ${stderr || String(error)} (tests need root and iproute2)`);
}

function startPeer(namespace: string): ChildProcess {
  return fork(join(import.meta.dirname, 'network-peer.mjs'), {
    execPath: 'nsenter',
    execArgv: [`--net=/run/netns/${namespace}`, '--', process.execPath],
    serialization: 'advanced',
  });
}

function makePeer(process: ChildProcess): Peer {
  const waiting = new Map<number, {resolve(value: never): void; reject(error: Error): void}>();
  let last = 0;
  process.on('message', ({id, result, error}: {id: number; result: never; error?: string}) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error));
  });
  return {
    run: (task, ...args) =>
      new Promise((resolvePromise, reject) => {
        last += 1;
        waiting.set(last, {resolve: resolvePromise, reject});
        process.send({id: last, source: String(task), args});
      }),
  };
}

async function startChild(
  namespaces: {readonly machine: string; readonly container: string},
  {lines, sanitized, under = []}: ChildOptions,
): Promise<NetworkChild> {
  const program = nativeProgram(sanitized ? 'network-child-driver-asan' : 'network-child-driver');
  const driver = spawn('nsenter', [`--net=/run/netns/${namespaces.machine}`, '--', ...under, program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1'},
  });
  driver.stdin.on('error', () => {});
  const exited = new Promise<void>((resolvePromise) => driver.on('exit', () => resolvePromise()));
  const output = createInterface({input: driver.stdout})[Symbol.asyncIterator]();
  driver.stdin.write(`net /run/netns/${namespaces.container}\n${lines.join('\n')}\nstart\n`);
  const {value: first = 'driver ended'} = await output.next();
  const [word, pid] = first.split(' ');
  if (word !== 'ready') throw new Error(first);
  const ended = output.next().then(({value = 'ended -1'}) => Number(value.split(' ')[1]));
  return {
    pid: Number(pid),
    driverPid: Number(driver.pid),
    drain: () => driver.stdin.write('drain\n'),
    ended,
    async stop() {
      driver.stdin.end();
      await exited;
    },
  };
}
