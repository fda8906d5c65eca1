import {afterEach, expect, test, vi} from 'vitest';
import {groupNames} from '../../src/cli/group-names.ts';
import {parseCommandLine} from '../../src/cli/parse.ts';
import {commandGroups} from '../../src/cli/summaries.ts';

afterEach(() => void vi.restoreAllMocks());

test('who starts the program knows every group of commands', () => {
  const names = Object.keys(commandGroups).map((name) => name.slice(name.lastIndexOf(' ') + 1));
  expect([...groupNames].sort()).toEqual(names.sort());
});

test('options of the whole stand before the command, its own after it', () => {
  const parsed = parseCommandLine(['-f', 'a.yaml', '-f', 'b.yaml', '-p', 'shop', 'logs', '-f', '--tail', '10', 'web']);
  if (parsed.kind !== 'run') throw new Error('no command was read');
  expect(parsed.command.name).toBe('logs');
  expect(parsed.global).toMatchObject({file: ['a.yaml', 'b.yaml'], 'project-name': 'shop', profile: []});
  expect(parsed.input).toMatchObject({args: ['web'], flags: {follow: true, tail: '10', timestamps: false}});
});

test('exec takes the habits of docker exec', () => {
  expect(parseCommandLine(['exec', '-it', 'web', 'sh', '-i'])).toMatchObject({
    kind: 'run',
    input: {args: ['web', 'sh', '-i'], flags: {interactive: true, tty: true, 'no-tty': false}},
  });
});

test('what follows the service of exec belongs to the command', () => {
  const parsed = parseCommandLine(['exec', '-T', '-e', 'A=1', 'web', 'ls', '-l', '--color', '-T']);
  if (parsed.kind !== 'run') throw new Error('no command was read');
  expect(parsed.input).toMatchObject({
    args: ['web', 'ls', '-l', '--color', '-T'],
    flags: {'no-tty': true, env: ['A=1'], detach: false},
  });
});

test.each([
  [['up', '--timeout', '1m30s'], 90],
  [['up', '-t', '0'], 0],
  [['down', '-t', '2.5'], 2.5],
  [['stop', '-t', '-1'], -1],
])('%j waits %d seconds', (words, seconds) => {
  const parsed = parseCommandLine(words);
  expect(parsed).toMatchObject({kind: 'run', input: {flags: {timeout: seconds}}});
});

test.each([
  [['attach', 'web'], true],
  [['attach', '--sig-proxy', 'web'], true],
  [['attach', '--sig-proxy=true', 'web'], true],
  [['attach', '--sig-proxy=false', 'web'], false],
])('a switch that is on by itself: %j', (words, on) => {
  expect(parseCommandLine(words)).toMatchObject({kind: 'run', input: {args: ['web'], flags: {'sig-proxy': on}}});
});

test.each([
  [['engine', 'history', '-H=false', 'redis'], {args: ['redis'], flags: {human: false}}],
  [['engine', 'history', '-H=true', '--quiet=true', 'redis'], {args: ['redis'], flags: {human: true, quiet: true}}],
  [['engine', 'history', '--quiet=0', '-q=f', 'redis'], {args: ['redis'], flags: {quiet: false}}],
  [['logs', '-n', '-f=true', 'web'], {args: ['web'], flags: {tail: '-f=true', follow: false}}],
  [
    ['exec', '-T=true', 'web', 'cmd', '-d=true'],
    {args: ['web', 'cmd', '-d=true'], flags: {'no-tty': true, detach: false}},
  ],
  [['run', '--no-TTY', 'web', 'cmd', '--no-TTY'], {args: ['web', 'cmd', '--no-TTY'], flags: {'no-tty': true}}],
  [['exec', '--no-TTY=false', 'web', 'cmd'], {args: ['web', 'cmd'], flags: {'no-tty': false}}],
  [['exec', '-u', '-d=true', 'web', 'id'], {args: ['web', 'id'], flags: {user: '-d=true', detach: false}}],
  [['logs', '--', '-f=true'], {args: ['-f=true'], flags: {follow: false}}],
])('a switch that is given a value: %j', (words, input) => {
  expect(parseCommandLine(words)).toMatchObject({kind: 'run', input});
});

test.each([
  [['up', '--detach=maybe'], 'error: unknown option "--detach=maybe"'],
  [['frobnicate'], 'error: unknown command "frobnicate"'],
  [['dwon'], 'error: unknown command "dwon" (did you mean "down"?)'],
  [['frobnicate', 'web', '80'], 'error: unknown command "frobnicate"'],
  [['frobnicate', '--rm', '-f', 'web'], 'error: unknown command "frobnicate"'],
  [['engine', 'frobnicate', '--rm', 'web'], 'error: unknown command "engine frobnicate"'],
  [['create', 'web'], 'error: unknown command "create" (write "tscompose up --no-start")'],
  [['constructor'], 'error: unknown command "constructor"'],
  [['--nope', 'up'], 'error: unknown option "--nope"'],
  [['up', '--nope'], 'error: unknown option "--nope"'],
  [
    ['up', '--timeout', 'soon'],
    'error: option "-t, --timeout <SECONDS>" argument "soon" is invalid. seconds are expected, as in 10 or 1m30s.',
  ],
  [
    ['ps', '--status', 'running', '--status', 'sleeping'],
    'error: option "--status <STATUS>" argument "sleeping" is invalid. Allowed choices are paused, restarting, removing, running, dead, created, exited.',
  ],
  [['help', 'dwon'], 'error: unknown command "dwon" (did you mean "down"?)'],
  [['up', '-d', '--progress', 'plain'], 'error: --progress stands before the command: tscompose --progress plain up'],
  [['up', '-f', 'a.yaml'], 'error: --file stands before the command: tscompose --file a.yaml up'],
  [['down', '--all-resources'], 'error: --all-resources stands before the command: tscompose --all-resources down'],
  [['version', 'now'], 'error: "version" takes no arguments, but "now" was given'],
])('%j is wrong use: %s', (words, message) => {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  expect(parseCommandLine(words)).toEqual({kind: 'done', exitCode: 64});
  expect(written.join('').split('\n')[0]).toBe(message);
});

test('wrong use of a command points to the help of that command', () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  parseCommandLine(['up', '--nope']);
  expect(written.at(-1)).toBe('(tscompose up --help lists its options)\n');
});

test.each([
  [['help'], 'Usage: tscompose [OPTIONS] COMMAND\n'],
  [['help', 'ui'], 'Usage: tscompose ui [OPTIONS]\n'],
])('%j prints help', (words, first) => {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  expect(parseCommandLine(words)).toEqual({kind: 'done', exitCode: 0});
  expect(written.join('')).toContain(first);
});

test('every value of an option that may be repeated is kept', () => {
  expect(parseCommandLine(['ps', '--status', 'running', '--status', 'exited'])).toMatchObject({
    input: {flags: {status: ['running', 'exited']}},
  });
});

test.each([
  [['engine', 'image', 'list', '-q'], 'engine image ls'],
  [['engine', 'image', 'remove', 'web'], 'engine image rm'],
  [['engine', 'image', 'pull', '-q', 'redis:7'], 'engine image pull'],
  [['engine', 'image', 'build', '-t', 'web', '.'], 'engine image build'],
  [['engine', 'manifest', 'inspect', '-v', 'redis:7'], 'engine manifest inspect'],
])('%j is what Docker calls it', (words, name) => {
  expect(parseCommandLine(words)).toMatchObject({kind: 'run', command: {name}});
});

test.each([
  [['engine', 'image', 'pul', '-q', 'redis:7', 'more'], 'unknown command "engine image pul" (did you mean "pull"?)'],
  [['engine', 'nonsense', '--all', 'x'], 'unknown command "engine nonsense"'],
])('of %j the command is what is wrong, whatever follows it', (words, message) => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(parseCommandLine(words)).toEqual({kind: 'done', exitCode: 64});
  expect(written.mock.calls.join('')).toContain(`error: ${message}\n`);
});
