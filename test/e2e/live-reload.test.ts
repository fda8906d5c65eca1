import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually, makeHost, projectDirectory, type TestHost} from '../support/host.ts';

/** The example as somebody has it who got it with the package, the compiler installed and the command in the path. */
function copyExample(host: TestHost): {readonly directory: string; readonly path: string} {
  const directory = join(host.directory, 'live-reload');
  cpSync(join(projectDirectory, 'examples/live-reload'), directory, {recursive: true});
  rmSync(join(directory, 'dist'), {recursive: true, force: true});
  symlinkSync(join(projectDirectory, 'node_modules'), join(directory, 'node_modules'));
  const programs = join(host.directory, 'bin');
  mkdirSync(programs);
  symlinkSync(join(projectDirectory, 'dist/cli.cjs'), join(programs, 'tscompose'));
  return {directory, path: `${programs}:${dirname(process.execPath)}:${host.env['PATH']}`};
}

test('the live reload example: a save of the program or of the page is served, a mistake is not', async () => {
  await using host = await makeHost();
  const {directory, path} = copyExample(host);
  const env = {...host.env, PATH: path, npm_config_update_notifier: 'false'};
  // In a process group of its own, as a terminal has it: Ctrl-C reaches all of them.
  const enter = [`--net=/run/netns/${host.namespace}`, '--'];
  const dev = spawn('nsenter', [...enter, 'npm', 'run', 'dev'], {
    cwd: directory,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const group = -(dev.pid ?? 0);
  const ended = new Promise<void>((resolve) => dev.on('close', () => resolve()));
  let said = '';
  for (const stream of [dev.stdout, dev.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const get = async (page: string) =>
    (await host.command('curl', ['-sS', '--max-time', '20', `http://localhost:8090/${page}`])).stdout;
  const change = (file: string, from: string, to: string) => {
    const text = readFileSync(join(directory, file), 'utf8');
    expect(text).toContain(from);
    // In one step: who looks while this process stands still would take an empty file for the program.
    writeFileSync(join(host.directory, 'changed'), text.replace(from, to));
    renameSync(join(host.directory, 'changed'), join(directory, file));
  };
  try {
    await eventually(async () => expect(await get('greeting')).toContain('Hello from TypeScript'), 60_000);
    expect(await get('')).toContain('<title>Live reload</title>');
    expect(await get('..%2fsrc/server.ts')).toBe('there is no such page\n');

    change('src/greeting.ts', 'Hello from TypeScript', 'Good evening');
    await eventually(async () => expect(await get('greeting')).toContain('Good evening'));
    await eventually(() => expect(said).toMatch(/web restarted ← dist\/server\.js, serving after \d/));

    // The browser is told of a new page, by the program that goes on.
    const browser = spawn('nsenter', [...enter, 'curl', '-sSN', 'http://localhost:8090/changes']);
    let heard = '';
    browser.stdout.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    try {
      await eventually(async () => {
        change('public/index.html', '<title>', '<title>A ');
        expect(await get('')).toMatch(/<title>(A )+Live reload/);
        expect(said.match(/web synced ← public\/index\.html, 1 written, visible after \d/g)?.length).toBeGreaterThan(1);
        expect(heard).toContain('data: reload');
      });
    } finally {
      browser.kill();
      await once(browser, 'close');
    }

    const restarts = () => said.match(/web restarted/g)?.length;
    const before = restarts();
    change('src/server.ts', 'createServer(', 'createServer((');
    await eventually(() => expect(said).toContain('ERROR'));
    change('public/style.css', '16px', '17px');
    await eventually(async () => expect(await get('style.css')).toContain('17px'));
    expect(await get('greeting')).toContain('Good evening');
    expect(restarts()).toBe(before);
    const check = await host.command('npm', ['run', 'check'], {cwd: directory, env});
    expect(check.stdout).toContain('src/server.ts');
  } finally {
    process.kill(group, 'SIGINT');
    await ended;
  }
  expect((await host.tscompose(['down'], {cwd: directory})).code).toBe(0);

  const faulty = await host.command('npm', ['run', 'dev'], {cwd: directory, env});
  expect(faulty).toMatchObject({code: 1, stderr: expect.stringContaining('src/server.ts')});
  expect(faulty.stderr).not.toContain('node_modules');
  change('src/server.ts', 'createServer((', 'createServer(');
  const unlinked = {...env, PATH: `${dirname(process.execPath)}:${host.env['PATH']}`};
  expect(await host.command('npm', ['run', 'dev'], {cwd: directory, env: unlinked})).toMatchObject({
    code: 1,
    stderr: 'cannot start tscompose: spawn tscompose ENOENT. "npm link" in its folder makes it a command\n',
  });
  expect(host.leftovers()).toEqual([]);
});
