import {spawnSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'vitest';
import {eventually, projectDirectory, type TestHost} from './host.ts';

/**
 * A real terminal with a shell in the host's network namespace, in which `tscompose` is the built command line. Once it is
 * disposed of, what ran in it has ended.
 */
export interface TestTerminal extends AsyncDisposable {
  /** Text as it is typed; control keys are characters: `\r`, `\t`, `\x03`. */
  type(text: string): void;
  /** What it shows, without the blanks at the ends of lines. */
  screen(): string;
  /** Waits until it shows this. */
  shows(what: string | RegExp, timeoutMs?: number): Promise<void>;
  resize(columns: number, rows: number): void;
}

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** The shell and its arguments. */
  readonly shell?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const plainShell = ['bash', '--norc', '--noprofile'];

export function openTerminal(host: TestHost, options: TerminalOptions = {}): TestTerminal {
  const {columns = 80, rows = 24, shell = plainShell} = options;
  const directory = mkdtempSync(join(tmpdir(), 'tsc-terminal-'));
  symlinkSync(join(projectDirectory, 'dist/cli.cjs'), join(directory, 'tscompose'));
  const env = {
    ...host.env,
    PATH: `${directory}:${host.env['PATH']}`,
    PS1: '$ ',
    TERM: 'tmux-256color',
    TMUX_TMPDIR: directory,
    ...options.env,
  };
  const tmux = (...args: readonly string[]): string => {
    const {status, stdout, stderr} = spawnSync('tmux', ['-f', '/dev/null', ...args], {
      cwd: host.directory,
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const size = ['-x', String(columns), '-y', String(rows)];
  tmux('new-session', '-d', ...size, 'nsenter', `--net=/run/netns/${host.namespace}`, '--', ...shell);
  tmux('set-option', '-g', 'remain-on-exit', 'on');
  const session = tmux('display-message', '-p', '#{pane_pid}').trim();
  const screen = () => tmux('capture-pane', '-p').replace(/[ \n]+$/, '');
  return {
    type: (text) => void tmux('send-keys', '-l', text),
    screen,
    shows: (what, timeoutMs) =>
      eventually(() => {
        if (typeof what === 'string') expect(screen()).toContain(what);
        else expect(screen()).toMatch(what);
      }, timeoutMs),
    resize: (newColumns, newRows) => void tmux('resize-window', '-x', String(newColumns), '-y', String(newRows)),
    async [Symbol.asyncDispose]() {
      tmux('kill-server');
      await eventually(() => expect(processesOf(session)).toEqual([]));
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

/** Command lines of what runs in a session: a shell's programs, not the monitors that these started. */
function processesOf(session: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [state, , , of] = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        return of === session && state !== 'Z' ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
}
