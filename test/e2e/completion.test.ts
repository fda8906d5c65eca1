import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost, type TestHost} from '../support/host.ts';
import {openTerminal, type TestTerminal} from '../support/terminal.ts';
import {loadImages} from '../support/test-images.ts';

async function startStack(host: TestHost): Promise<void> {
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: tabs
services:
  web: {image: busybox, command: sleep 600, stop_grace_period: 0s, scale: 2}
  worker: {image: busybox, command: sleep 600, stop_grace_period: 0s}
  probe: {image: 'busybox:debug', profiles: [debug]}
`,
  );
  writeFileSync(join(host.directory, 'my stack.yaml'), 'services: {}\n');
  writeFileSync(join(host.directory, '.env.staging'), '');
  mkdirSync(join(host.directory, 'place'));
  writeFileSync(join(host.directory, 'plane'), '');
  expect(await host.tscompose(['up', '-d'])).toMatchObject({code: 0});
}

interface Shell {
  readonly name: string;
  readonly words: readonly string[];
  /** Typed before anything else. */
  readonly begin: string;
  /** Whether it tells what a word is. */
  readonly explains: boolean;
}

const shells: readonly Shell[] = [
  {
    name: 'bash',
    words: ['bash', '--norc', '--noprofile'],
    begin: 'source <(tscompose completion bash)',
    explains: false,
  },
  {
    name: 'zsh',
    words: ['zsh', '-f'],
    begin: 'PS1="$ "; source <(tscompose completion zsh)',
    explains: true,
  },
  {
    name: 'fish',
    words: ['fish', '--no-config'],
    begin: 'function fish_prompt; echo "\\$ "; end; tscompose completion fish | source',
    explains: true,
  },
];

/** Types the beginning of a line and Tab, waits for what the line becomes, and takes it away again. */
async function becomes(terminal: TestTerminal, typed: string, line: string): Promise<void> {
  terminal.type(`tscompose ${typed}\t`);
  const literal = `tscompose ${line}`.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  await terminal.shows(new RegExp(`^\\$ ${literal}$`, 'm'));
  terminal.type('\x15');
  await terminal.shows(/\$$/);
}

test.each(shells)('$name completes commands, flags, values, services, profiles, files and replicas', async (shell) => {
  await using host = await makeHost();
  await startStack(host);
  {
    await using terminal = openTerminal(host, {columns: 110, rows: 30, shell: shell.words});
    terminal.type(`${shell.begin}; clear; echo ready\r`);
    await terminal.shows(/^ready\n\$$/);
    await becomes(terminal, 'atta', 'attach');
    await becomes(terminal, 'attach we', 'attach web');
    // What was named already is not offered again.
    await becomes(terminal, 'stop web w', 'stop web worker');
    await becomes(terminal, 'stats --no-s', 'stats --no-stream');
    await becomes(terminal, 'ps --format=js', 'ps --format=json');
    await becomes(terminal, 'ps --format js', 'ps --format json');
    await becomes(terminal, '--profile de', '--profile debug');
    await becomes(terminal, '--env sta', '--env staging');
    await becomes(terminal, '-p ta', '-p tabs');
    await becomes(terminal, '-f my', '-f my\\ stack.yaml');
    await becomes(terminal, '--file=my', '--file=my\\ stack.yaml');
    await becomes(terminal, '--project-directory pla', '--project-directory place/');
    await becomes(terminal, 'logs --index 2 wo', 'logs --index 2 worker');
    // What follows belongs to the same word.
    terminal.type('tscompose up --scale wo\t');
    await terminal.shows(/^\$ tscompose up --scale worker=$/m);
    terminal.type('3 w\t');
    await terminal.shows(/^\$ tscompose up --scale worker=3 w(?:eb|orker)?$/m);
    terminal.type('\x15clear\r');
    await terminal.shows(/^\$$/);

    terminal.type('tscompose st\t\t');
    await terminal.shows(/start[\s\S]*stats[\s\S]*stop/);
    if (shell.explains) await terminal.shows('stop services without removing them');
    terminal.type('\x03');
  }
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('the completer answers without a stack and beside a broken one, and asks the engine for what only it knows', async () => {
  await using host = await makeHost();
  const answer = async (...words: readonly string[]) => {
    const {code, stdout, stderr} = await host.tscompose(['__complete', ...words]);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    return stdout;
  };
  expect(await answer('logs', '')).toBe('words\n');
  await startStack(host);
  expect(await answer('logs', '')).toBe('words\nprobe\tbusybox:debug (profile debug)\nweb\tbusybox\nworker\tbusybox\n');
  expect(await answer('attach', 'web', '--index', '')).toBe('words\n1\ttabs-web-1 running\n2\ttabs-web-2 running\n');
  writeFileSync(join(host.directory, 'compose.yaml'), 'services: {web: {imgae: x}}\n');
  expect(await answer('logs', '')).toBe('words\n');
  expect(await answer('logs', '--ta')).toBe('words\n--tail\tlines from the end of each container, or "all"\n');
  writeFileSync(join(host.directory, 'compose.yaml'), '');
  expect(await answer('-p', 'tabs', '-f', 'none.yaml', 'stop', 'wo')).toBe('words\nworker\tbusybox\n');
  expect((await host.tscompose(['-p', 'tabs', '-f', 'my stack.yaml', 'down', '--remove-orphans'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
