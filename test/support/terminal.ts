import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'vitest';
import {eventually, projectDirectory, type TestHost} from './host.ts';

/** A real terminal with a shell in the host's network namespace, in which `tscompose` is the built command line. */
export interface TestTerminal extends Disposable {
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
  symlinkSync(join(projectDirectory, 'dist/cli.mjs'), join(directory, 'tscompose'));
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
    [Symbol.dispose]() {
      tmux('kill-server');
      rmSync(directory, {recursive: true, force: true});
    },
  };
}
