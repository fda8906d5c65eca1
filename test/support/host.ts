import {type SpawnOptions, spawn, spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {type LeftoverOptions, leftovers} from './leftovers.ts';

export const projectDirectory = resolve(import.meta.dirname, '../..');
export const cliPath = join(projectDirectory, 'dist/cli.cjs');

export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Ends the command with SIGKILL after this long. */
  readonly timeoutMs?: number;
  readonly onSpawn?: (process: {readonly pid: number | undefined; kill(signal: NodeJS.Signals): void}) => void;
  /** Gets what it says on standard error, as it comes. */
  readonly onStderr?: (text: string) => void;
}

/**
 * A machine of its own for a test: root and run directory, cgroup parent, and a network namespace as its "host" network.
 * Two run at once without seeing each other, and what is left behind is found.
 */
export interface TestHost extends AsyncDisposable {
  readonly root: string;
  readonly run: string;
  readonly cgroupParent: string;
  /** Name of the network namespace (`/run/netns/<name>`). */
  readonly namespace: string;
  /** An empty directory for stack files; removed at the end. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs the built command line in the host's network namespace. */
  tscompose(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs any command in the host's network namespace. */
  command(program: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Everything of this host that exists on the machine beyond an empty root; empty after `down -v`. */
  leftovers(options?: LeftoverOptions): string[];
}

export async function makeHost(): Promise<TestHost> {
  const id = randomBytes(4).toString('hex');
  const base = mkdtempSync(`/tmp/tsc-${id}-`);
  const root = join(base, 'root');
  const run = `/run/tsc-${id}`;
  const directory = join(base, 'work');
  const cgroupParent = `tsc-test-${id}`;
  const namespace = `tsc-${id}`;
  mkdirSync(directory);
  must('ip', ['netns', 'add', namespace]);
  must('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  // A new namespace has it from the machine, where something else may forward (ip-sysctl, devconf_inherit_init_net).
  must('nsenter', [`--net=/run/netns/${namespace}`, '--', 'sh', '-c', 'echo 0 >/proc/sys/net/ipv4/ip_forward']);
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: base,
    LANG: 'C.UTF-8',
    TSCOMPOSE_ROOT: root,
    TSCOMPOSE_RUN: run,
    TSCOMPOSE_CGROUP_PARENT: cgroupParent,
  };
  const identity = {root, run, cgroupParent, namespace};
  const command = (program: string, args: readonly string[], options: CommandOptions = {}) =>
    execute('/usr/bin/nsenter', [`--net=/run/netns/${namespace}`, '--', program, ...args], {
      cwd: directory,
      ...options,
      env: {...env, ...options.env},
    });
  return {
    ...identity,
    directory,
    env,
    command,
    tscompose: (args, options) => command(process.execPath, [cliPath, ...args], options),
    leftovers: (options) => leftovers(identity, options),
    async [Symbol.asyncDispose]() {
      await endProcesses(cgroupParent);
      must('ip', ['netns', 'delete', namespace]);
      removeCgroups(cgroupParent);
      rmSync(base, {recursive: true, force: true});
      rmSync(run, {recursive: true, force: true});
    },
  };
}

function must(program: string, args: readonly string[]): void {
  const result = spawnSync(program, args, {encoding: 'utf8'});
  if (result.status !== 0)
    throw new Error(
      `${program} ${args.join(' ')}: ${result.stderr || String(result.error)} (tests need root and iproute2)`,
    );
}

export function execute(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolvePromise, reject) => {
    const settings: SpawnOptions = {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: options.env === undefined ? process.env : {...options.env},
    };
    const child = spawn(program, args, settings);
    options.onSpawn?.({pid: child.pid, kill: (signal) => child.kill(signal)});
    const output = {stdout: '', stderr: ''};
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
      options.onStderr?.(text);
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 120_000);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolvePromise({code, signal, ...output});
    });
  });
}

/** Directories of the cgroup parent in every hierarchy, deepest first. */
function cgroupDirectories(parent: string): string[] {
  const hierarchies = [
    '/sys/fs/cgroup',
    ...readdirSync('/sys/fs/cgroup', {withFileTypes: true})
      .filter((entry) => entry.isDirectory())
      .map((entry) => join('/sys/fs/cgroup', entry.name)),
  ];
  const walk = (directory: string): string[] => [
    ...unlessGone(() => readdirSync(directory, {withFileTypes: true}), [])
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => walk(join(directory, entry.name))),
    directory,
  ];
  return hierarchies
    .map((hierarchy) => join(hierarchy, parent))
    .flatMap((directory) => (existsSync(directory) ? walk(directory) : []));
}

/** A monitor whose container ends takes its cgroup away, also between two looks at it. */
function unlessGone<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return otherwise;
    throw error;
  }
}

async function endProcesses(cgroupParent: string): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const pids = new Set(
      cgroupDirectories(cgroupParent).flatMap((directory) =>
        unlessGone(() => readFileSync(join(directory, 'cgroup.procs'), 'utf8'), '')
          .split('\n')
          .filter(Boolean),
      ),
    );
    if (pids.size === 0) return;
    for (const pid of pids) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    await delay(20);
  }
}

function removeCgroups(parent: string): void {
  for (const directory of cgroupDirectories(parent)) {
    try {
      rmdirSync(directory);
    } catch {
      // Reported by the next leak check of whoever runs in it.
    }
  }
}

/**
 * Waits until the check returns without throwing; the last error otherwise. What is waited for mostly comes within a
 * second: the limit is far above what a busy machine needs, and costs time only where a test fails.
 */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 30_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(50);
    }
  }
}
