import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {openTerminal, type TerminalOptions, type TerminalSession} from './terminal-session.ts';

const plain = {image: 'busybox', stop_grace_period: '0s', network_mode: 'none'};

/** What a container may try on the terminal of whoever looks at its log. */
const hostile = [
  String.raw`\033[2J\033[Hcleared`,
  String.raw`\033]0;owned\007titled`,
  String.raw`\033]52;c;b3duZWQ=\033\\copied`,
  String.raw`\033[?1049lleft\033[?25hshown\033[?1000hclicked`,
  String.raw`\033[31mred\033[0m \033[5mblinking`,
  String.raw`\033[10;10Hmoved\033[6n\033c`,
  String.raw`\233[2Jeight bits`,
  '测试 👩‍👩‍👧 e\u0301 tab\there',
].join(String.raw`\n`);

const stack = {
  name: 'shop',
  services: {
    web: {...plain, command: ['sleep', '100000']},
    loud: {...plain, command: ['sh', '-c', `printf '${hostile}\\nthe end\\n'; exec sleep 100000`]},
  },
};

let host: TestHost;

beforeAll(async () => {
  host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(join(host.directory, 'compose.yaml'), JSON.stringify(stack));
  expect(await host.tscompose(['up', '-d'])).toMatchObject({code: 0});
});

afterAll(async () => {
  try {
    expect(await host.tscompose(['down', '-t', '0'])).toMatchObject({code: 0});
    expect(host.leftovers()).toEqual([]);
  } finally {
    await host[Symbol.asyncDispose]();
  }
});

/** The UI, started from an interactive shell. */
async function openUi(options: TerminalOptions = {}): Promise<TerminalSession> {
  const terminal = await openTerminal(host, options);
  terminal.type('clear; tscompose ui; echo "ended $?"\n');
  return ready(terminal);
}

/**
 * The UI, started by a shell that never touches the settings of its terminal: they are after it what they were before, or
 * the UI has failed.
 */
async function openUiPlainly(env: Readonly<Record<string, string>> = {}) {
  // Its last word comes when it is asked for: said at once, it could still be drawn on the other screen.
  const script = 'echo begin; read line; tscompose ui; code=$?; read line; echo "ended $code"; read line';
  const terminal = await openTerminal(host, {script, env});
  await terminal.shows('begin');
  const before = terminal.modes();
  terminal.keys('Enter');
  await ready(terminal);
  await eventually(() => expect(terminal.modes()).toMatchObject({alternateScreen: true, cursor: false, wrap: false}));
  expect(terminal.modes().settings).not.toBe(before.settings);
  return {
    terminal,
    async expectSane(): Promise<string> {
      await eventually(() => expect(terminal.modes()).toEqual(before));
      await eventually(() => expect(() => terminal.programPid()).toThrow('does not run'));
      terminal.keys('Enter');
      const screen = await terminal.shows(/^ended \d+$/m);
      // Of the other screen nothing is left.
      expect(screen).not.toContain('web');
      return screen;
    },
    [Symbol.asyncDispose]: () => terminal[Symbol.asyncDispose](),
  };
}

async function ready(terminal: TerminalSession): Promise<TerminalSession> {
  try {
    await terminal.shows('2/2 up');
    return terminal;
  } catch (error) {
    await terminal[Symbol.asyncDispose]();
    throw error;
  }
}

test('q leaves the terminal as it was, with nothing said', async () => {
  await using ui = await openUiPlainly();
  ui.terminal.keys('q');
  expect(await ui.expectSane()).toMatch(/^begin\n+ended 0\n+$/);
});

test('Ctrl-C does the same', async () => {
  await using ui = await openUiPlainly();
  ui.terminal.keys('C-c');
  expect(await ui.expectSane()).toContain('ended 0');
});

test('a signal to end leaves the terminal as it was', async () => {
  await using ui = await openUiPlainly();
  process.kill(ui.terminal.programPid(), 'SIGTERM');
  expect(await ui.expectSane()).toContain('ended 130');
});

test('after kill -9 the terminal is as it was', async () => {
  await using ui = await openUiPlainly();
  process.kill(ui.terminal.programPid(), 'SIGKILL');
  expect(await ui.expectSane()).toContain('ended 137');
});

test('after a crash of the process the terminal is as it was', async () => {
  await using ui = await openUiPlainly();
  process.kill(ui.terminal.programPid(), 'SIGSEGV');
  expect(await ui.expectSane()).toContain('ended 139');
});

test('an error that nobody caught is told on a terminal that is as it was', async () => {
  const crash = join(host.directory, 'crash.cjs');
  writeFileSync(crash, "process.on('SIGUSR2', () => { throw new Error('thrown for this test'); });\n");
  await using ui = await openUiPlainly({NODE_OPTIONS: `--require=${crash}`});
  process.kill(ui.terminal.programPid(), 'SIGUSR2');
  const screen = await ui.expectSane();
  expect(screen).toContain('thrown for this test');
  expect(screen).not.toContain('ended 0');
  rmSync(crash);
});

test('Ctrl-Z leads to the shell, which works, and fg leads back', async () => {
  await using terminal = await openUi();
  terminal.keys('C-z');
  await terminal.shows('Stopped');
  expect(terminal.modes()).toMatchObject({alternateScreen: false, cursor: true, wrap: true});
  terminal.type('echo "sum $((40 + 2))"\n');
  await terminal.shows('sum 42');
  terminal.resize(70, 20);
  terminal.type('fg\n');
  await terminal.shows('2/2 up');
  await eventually(() => expect(terminal.modes()).toMatchObject({alternateScreen: true, cursor: false}));
  // Keys are heard, and the size is the new one.
  terminal.keys('?');
  const screen = await terminal.shows('─ help ─');
  expect(screen.split('\n').length).toBeLessThanOrEqual(21);
  terminal.keys('C-c');
  await terminal.shows('ended');
  expect(terminal.modes()).toMatchObject({alternateScreen: false, cursor: true});
});

test('stopped and continued by others, the screen is there again', async () => {
  await using terminal = await openUi();
  const pid = terminal.programPid();
  process.kill(pid, 'SIGSTOP');
  await terminal.shows('Stopped');
  terminal.type('fg\n');
  await terminal.shows('2/2 up');
  await eventually(() => expect(terminal.modes()).toMatchObject({alternateScreen: true, cursor: false}));
  terminal.keys('q');
  await eventually(() => expect(terminal.modes()).toMatchObject({alternateScreen: false, cursor: true, wrap: true}));
});

test('a shell in a container has the terminal, and the screen comes back after it', async () => {
  await using terminal = await openUi();
  terminal.keys('e');
  await terminal.shows('"exit" leads back');
  await terminal.shows('/ #');
  expect(terminal.modes()).toMatchObject({alternateScreen: false, cursor: true});
  terminal.type('echo "in $(hostname) with $(stty size)"\n');
  await terminal.shows(/in [0-9a-f]{12} with 30 100/);
  terminal.type('exit\n');
  await terminal.shows('2/2 up');
  terminal.keys('v');
  await terminal.shows('─ events ─');
  terminal.keys('Escape');
  await terminal.hides('─ events ─');
  // One that fails says so.
  terminal.keys('e');
  await terminal.shows('/ #');
  terminal.type('exit 3\n');
  await terminal.shows('the shell in shop-web-1 ended with code 3');
});

test('the screen follows the size of the terminal, from tiny to wide', async () => {
  await using terminal = await openUi({columns: 100, rows: 30});
  const sizes = [
    [40, 12, /^ shop .*\n SERVICE +STATE/],
    [200, 50, /│ logs of all services/],
    [24, 6, /web/],
    [10, 2, /web/],
    [80, 24, /─ logs of all services ─+ following ─/],
  ] as const;
  for (const [columns, rows, shown] of sizes) {
    terminal.resize(columns, rows);
    const screen = await terminal.shows(shown);
    const lines = screen.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
  }
});

test('nothing that a container writes is obeyed by the terminal', async () => {
  await using terminal = await openUi();
  await terminal.shows('the end');
  for (const word of ['cleared', 'titled', 'copied', 'left', 'moved', 'eight bits', '测试', 'tab'])
    await terminal.shows(word);
  expect(terminal.modes()).toMatchObject({alternateScreen: true, cursor: false, mouse: false});
  // Its colours are kept, its blinking is not.
  expect(terminal.styled()).toMatch(/\x1b\[31mred/);
  expect(terminal.styled()).not.toMatch(/\x1b\[(?:\d+;)*5(?:;\d+)*mblinking/);
  terminal.keys('q');
  await terminal.shows('ended 0');
});

test('without colours and in ASCII everything is still told', async () => {
  await using terminal = await openUi({env: {NO_COLOR: '1'}});
  await terminal.shows('● running');
  expect(terminal.styled()).not.toMatch(/\x1b\[(?:\d+;)*(?:[34][0-8]|9\d)/);
  await using ascii = await openUi({env: {LC_ALL: 'C'}});
  await ascii.shows(/\* running/);
  await ascii.shows(/^(?:[\x20-\x7e]*\n){5}/);
});

test('it starts again and again, also from code that earlier runs have kept', async () => {
  await using terminal = await openTerminal(host);
  for (let run = 1; run <= 6; run++) {
    terminal.type(`clear; tscompose ui; echo "run ${run} ended $?"\n`);
    await terminal.shows('2/2 up');
    terminal.keys('q');
    const screen = await terminal.shows(`run ${run} ended`);
    expect(screen).toContain(`run ${run} ended 0`);
    expect(screen).not.toMatch(/warning|error/i);
  }
});

/** The files of code that were run, as V8 counts what they cover. */
function loaded(directory: string): readonly string[] {
  return readdirSync(directory).flatMap((name) => {
    const {result} = JSON.parse(readFileSync(join(directory, name), 'utf8')) as {
      readonly result: readonly {readonly url: string}[];
    };
    return result.map(({url}) => basename(url));
  });
}

test('only the screen loads what draws it; without a terminal it says what to use instead', async () => {
  const refused = await host.tscompose(['ui'], {env: {NODE_V8_COVERAGE: join(host.directory, 'refused')}});
  expect(refused).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('ui needs a terminal on standard input and output'),
  });
  expect(refused.stderr).toContain('tscompose logs -f');
  const others = join(host.directory, 'others');
  const looking = [
    ['stats', '--no-stream'],
    ['top'],
    ['events', '--since', '1m', '--until', '0s'],
    ['__complete', 'top', ''],
  ];
  for (const args of [['ps'], ['up', '-d'], ['logs'], ['plan'], ...looking])
    expect(await host.tscompose(args, {env: {NODE_V8_COVERAGE: others}})).toMatchObject({code: 0});
  const drawn = join(host.directory, 'drawn');
  await using terminal = await openUi({env: {NODE_V8_COVERAGE: drawn}});
  terminal.keys('q');
  await terminal.shows('ended 0');
  expect(loaded(drawn)).toContain('ink.mjs');
  for (const directory of [join(host.directory, 'refused'), others]) {
    expect(loaded(directory)).toContain('cli.cjs');
    expect(loaded(directory)).not.toContain('ink.mjs');
  }
});
