import {spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {expect} from 'vitest';
import {eventually, projectDirectory, type TestHost} from '../support/host.ts';

/** Longer than anything takes on a busy machine; what is waited for mostly comes within a second. */
const patienceMs = 30_000;

/** What a terminal is set to, beside its settings of input and output. */
export interface TerminalModes {
  readonly alternateScreen: boolean;
  readonly cursor: boolean;
  readonly mouse: boolean;
  readonly wrap: boolean;
  /** As `stty -g` tells them. */
  readonly settings: string;
}

/** A real terminal with a program in it, in the network namespace of a test host; ends with the test. */
export interface TerminalSession extends AsyncDisposable {
  /** As it is shown now, a line a row. */
  screen(): string;
  /** The same with the colours that are shown. */
  styled(): string;
  modes(): TerminalModes;
  /** Keys by their names (`Enter`, `Up`, `C-c`), as tmux knows them; single characters are themselves. */
  keys(...names: readonly string[]): void;
  /** Characters as they are. */
  type(text: string): void;
  resize(columns: number, rows: number): void;
  /** Until the screen has a text, or fits an expression, and is drawn whole; its content then. */
  shows(wanted: string | RegExp): Promise<string>;
  hides(unwanted: string | RegExp): Promise<string>;
  /** Of the first process of the command line in this terminal that runs the program. */
  programPid(): number;
}

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** In place of an interactive shell with jobs: run by a plain one. */
  readonly script?: string;
}

/** Opens a terminal in which `tscompose` is the built program. Its tmux has a server of its own. */
export async function openTerminal(host: TestHost, options: TerminalOptions = {}): Promise<TerminalSession> {
  const {columns = 100, rows = 30, script} = options;
  const bin = join(host.directory, '.bin');
  mkdirSync(bin, {recursive: true});
  const program = join(bin, 'tscompose');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(projectDirectory, 'dist/cli.cjs')}' "$@"\n`);
  chmodSync(program, 0o755);
  const socket = join(bin, `tmux-${readdirSync(bin).length}`);
  const env = {
    ...host.env,
    PATH: `${bin}:${host.env['PATH']}`,
    TERM: 'xterm-256color',
    PS1: '$ ',
    // The machine's own shells may print something at their start.
    ENV: '',
    ...options.env,
  };
  const tmux = (...args: readonly string[]): string => {
    const result = spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
      cwd: host.directory,
      env,
      encoding: 'utf8',
    });
    if (result.status !== 0) throw new Error(`tmux ${args[0]}: ${result.stderr || String(result.error)}`);
    return result.stdout;
  };
  const shell = script === undefined ? ['bash', '--norc', '--noprofile', '-i'] : ['sh', '-c', script];
  const enter = ['nsenter', `--net=/run/netns/${host.namespace}`, '--', ...shell];
  // Programs in it see a terminal of 256 colours; an escape is sent on at once.
  tmux(
    ...['start-server', ';', 'set-option', '-s', 'escape-time', '0', ';'],
    ...['set-option', '-g', 'default-terminal', 'tmux-256color', ';', 'set-option', '-g', 'status', 'off', ';'],
    ...['set-option', '-g', 'remain-on-exit', 'on', ';'],
    ...['new-session', '-d', '-x', String(columns), '-y', String(rows), ...enter],
  );
  const panePid = Number(tmux('display-message', '-p', '#{pane_pid}'));
  const screen = (): string => tmux('capture-pane', '-p');
  const waitFor = (wanted: string | RegExp, there: boolean): Promise<string> => {
    const fitting = (): string => {
      const shown = screen();
      const fits = typeof wanted === 'string' ? shown.includes(wanted) : wanted.test(shown);
      if (fits !== there) throw new Error(`${there ? 'no' : 'still'} ${wanted} on the screen:\n${shown}`);
      return shown;
    };
    return eventually(async () => {
      // The terminal may have drawn half of a frame only; where logs flow no two frames are the same.
      let shown = fitting();
      for (let look = 0; look < 10; look += 1) {
        await delay(10);
        const next = fitting();
        if (next === shown) return next;
        shown = next;
      }
      return shown;
    }, patienceMs);
  };
  return {
    screen,
    styled: () => tmux('capture-pane', '-p', '-e'),
    modes() {
      const flags = '#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{wrap_flag} #{pane_tty}';
      const [alternate, cursor, mouse, wrap, device = ''] = tmux('display-message', '-p', flags).trim().split(' ');
      const {stdout, stderr} = spawnSync('stty', ['-g', '-F', device], {encoding: 'utf8'});
      return {
        alternateScreen: alternate === '1',
        cursor: cursor === '1',
        mouse: mouse === '1',
        wrap: wrap === '1',
        settings: stdout.trim() || stderr,
      };
    },
    keys: (...names) => void tmux('send-keys', ...names),
    type: (text) => void tmux('send-keys', '-l', text),
    resize: (width, height) => void tmux('resize-window', '-x', String(width), '-y', String(height)),
    shows: (wanted) => waitFor(wanted, true),
    hides: (unwanted) => waitFor(unwanted, false),
    programPid() {
      const found = descendants(panePid).find((pid) => commandLine(pid).includes('cli.cjs'));
      if (found === undefined) throw new Error('the program does not run in this terminal');
      return found;
    },
    async [Symbol.asyncDispose]() {
      // Not the monitors of containers that were started here: these go on.
      const pids = [panePid, ...descendants(panePid).filter((pid) => /cli\.cjs|guard/.test(commandLine(pid)))];
      spawnSync('tmux', ['-S', socket, 'kill-server'], {env});
      await eventually(() => expect(pids.filter(isRunning).map(commandLine)).toEqual([]), patienceMs);
    },
  };
}

function descendants(pid: number): readonly number[] {
  const parents = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const [, fields = ''] = readFileSync(`/proc/${name}/stat`, 'utf8').split(/\) (?=\S )/);
      return [{child: Number(name), parent: Number(fields.split(' ')[1])}];
    } catch {
      return [];
    }
  });
  const below = (of: number): readonly number[] =>
    parents.flatMap(({child, parent}) => (parent === of ? [child, ...below(child)] : []));
  return below(pid);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
