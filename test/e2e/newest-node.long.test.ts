import {execFileSync} from 'node:child_process';
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {makeHost, projectDirectory} from '../support/host.ts';

/** Lines of Node that are maintained besides the one that tests run on, as the package of the registry names them. */
const lines = ['22', '24', '26'];

let work: string;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'tsc-node-'));
});

afterAll(() => rmSync(work, {recursive: true, force: true}));

test.each(lines)('the quick start works on Node %s', {timeout: 300_000}, async (line) => {
  const directory = mkdtempSync(join(work, 'node-'));
  execFileSync('npm', ['pack', '--silent', `node-linux-${process.arch}@${line}`], {cwd: directory, stdio: 'pipe'});
  const [archive = ''] = readdirSync(directory);
  execFileSync('tar', ['-xzf', archive], {cwd: directory});
  const node = join(directory, 'package/bin/node');
  expect(execFileSync(node, ['--version'], {encoding: 'utf8'})).toContain(`v${line}.`);

  await using host = await makeHost();
  const stack = join(projectDirectory, 'examples/quickstart');
  const run = (...words: readonly string[]) =>
    host.command(
      node,
      [
        join(projectDirectory, 'dist/cli.cjs'),
        '--project-directory',
        stack,
        '-f',
        join(stack, 'compose.yaml'),
        ...words,
      ],
      {
        env: {XDG_CACHE_HOME: directory},
      },
    );
  // Twice: compiled anew, and from what the first run has kept.
  for (let time = 0; time < 2; time += 1) {
    expect(await run('up', '-d', '--wait')).toMatchObject({code: 0});
    const page = await host.command('curl', ['-fsS', '--max-time', '10', 'http://127.0.0.1:8080/']);
    expect(page).toMatchObject({code: 0});
    expect(await run('exec', '-T', 'web', '/usr/local/bin/node', '--version')).toMatchObject({code: 0});
    expect(await run('down', '-v')).toMatchObject({code: 0});
    expect(host.leftovers()).toEqual([]);
  }
});
