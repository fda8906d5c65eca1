import {Buffer} from 'node:buffer';
import {spawn} from 'node:child_process';
import {mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect} from 'vitest';
import {eventually, projectDirectory, type TestHost} from './host.ts';

/** A command that goes on until it is stopped, and what it has said so far. */
export interface LongCommand extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Lines of `--progress json` of this kind. */
  events(kind: string): readonly Readonly<Record<string, unknown>>[];
  /** Waits until standard error says it. */
  says(what: string | RegExp, timeoutMs?: number): Promise<void>;
  /** As Ctrl-C; answers the exit code. */
  interrupt(): Promise<number | null>;
  readonly exited: Promise<number | null>;
}

/** Runs the built command line in the host's network namespace, until it ends or is disposed of. */
export function startCommand(
  host: TestHost,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    /** A program with its arguments that runs the command. */
    readonly through?: readonly string[];
  } = {},
): LongCommand {
  const child = spawn(
    '/usr/bin/nsenter',
    [
      `--net=/run/netns/${host.namespace}`,
      '--',
      ...(options.through ?? []),
      process.execPath,
      `${projectDirectory}/dist/cli.cjs`,
      ...args,
    ],
    {cwd: options.cwd ?? host.directory, env: {...host.env, ...options.env}, stdio: ['ignore', 'pipe', 'pipe']},
  );
  const output = {stdout: '', stderr: ''};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return {
    pid: child.pid ?? 0,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    events: (kind) =>
      output.stderr
        .split('\n')
        // The last one may not have come whole.
        .slice(0, -1)
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((event) => event['kind'] === kind),
    says: (what, timeoutMs) =>
      eventually(() => {
        if (typeof what === 'string') expect(output.stderr).toContain(what);
        else expect(output.stderr).toMatch(what);
      }, timeoutMs),
    async interrupt() {
      child.kill('SIGINT');
      return exited;
    },
    exited,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Inotify watches that a process holds, by the kernel's own count. */
export function inotifyWatches(pid: number): number {
  return readdirSync(`/proc/${pid}/fdinfo`)
    .map((name) => {
      try {
        return readFileSync(`/proc/${pid}/fdinfo/${name}`, 'utf8');
      } catch {
        // Closed since it was listed; of one's own process that is the listing itself.
        return '';
      }
    })
    .reduce((sum, text) => sum + (text.match(/^inotify wd:/gm)?.length ?? 0), 0);
}

/**
 * Saves a file below the host's directory, in one step: this process may stand still between two, and what watches takes
 * a file that is empty until it goes on for a save. Written to where it is, if it does not become shorter, else put in its
 * place: as some editors do it, and others.
 */
export function write(host: TestHost, path: string, text: string): void {
  const file = join(host.directory, path);
  const content = Buffer.from(text);
  mkdirSync(dirname(file), {recursive: true});
  if ((statSync(file, {throwIfNoEntry: false})?.size ?? Number.POSITIVE_INFINITY) <= content.length) {
    writeFileSync(file, content, {flag: 'r+'});
    return;
  }
  const aside = join(host.directory, '../saved');
  writeFileSync(aside, content);
  renameSync(aside, file);
}

/** What a shell command prints in a container of the service. */
export async function read(host: TestHost, service: string, command: string, index = 1): Promise<string> {
  const {code, stdout, stderr} = await host.tscompose(
    ['exec', '-T', '--index', String(index), service, 'sh', '-c', command],
    {timeoutMs: 20_000},
  );
  if (code !== 0) throw new Error(`exec ended with ${code}: ${stderr}`);
  return stdout;
}

/** A duration as watching tells it, for expressions: on a busy machine any of them may be seconds. */
export const someTime = String.raw`(?:\d+ ms|\d+(?:\.\d)? s)`;

/** How a service makes each of its runs known: by a word of its own, which `runOf` reads. */
export const writesItsRun = 'cat /proc/sys/kernel/random/uuid > /tmp/begun';

/** The word of the run of a container; waits until the program that was started there has written it. */
export async function runOf(host: TestHost, service: string, index = 1): Promise<string> {
  return eventually(async () => {
    const word = await read(host, service, 'cat /tmp/begun', index);
    expect(word).toMatch(/^[0-9a-f-]{36}\n$/);
    return word;
  });
}

/** Takes the stack down; nothing may be left of it. */
export async function finish(host: TestHost): Promise<void> {
  const {code, stderr} = await host.tscompose(['down', '-v', '-t', '0', '--remove-orphans']);
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
  expect(host.leftovers()).toEqual([]);
}
