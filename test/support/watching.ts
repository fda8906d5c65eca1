import {spawn} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
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
  options: {readonly cwd?: string; readonly env?: Readonly<Record<string, string>>} = {},
): LongCommand {
  const child = spawn(
    '/usr/bin/nsenter',
    [`--net=/run/netns/${host.namespace}`, '--', process.execPath, `${projectDirectory}/dist/cli.mjs`, ...args],
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
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
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
    .map((name) => readFileSync(`/proc/${pid}/fdinfo/${name}`, 'utf8'))
    .reduce((sum, text) => sum + (text.match(/^inotify wd:/gm)?.length ?? 0), 0);
}
