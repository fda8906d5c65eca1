import {createHash} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {eventually, projectDirectory} from '../support/host.ts';
import {inside, mustLoadHostile, mustUp, writeStack} from './attacks/hostile.ts';
import {attackTargets, useAttacked} from './attacks/targets.ts';

/** The helper that the command line uses. */
const helper =
  process.env['TSCOMPOSE_HELPER'] ?? join(projectDirectory, `dist/native/linux-${process.arch}/tscompose-helper`);
const digest = () => createHash('sha256').update(readFileSync(helper)).digest('hex');

/** Runs a shell line on a terminal of its own; what the terminal showed. */
const onTerminal = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp('sh', ['sh', '-c', sys.argv[1]])
shown = b''
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk: break
    shown += chunk
os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
`;

const stack = 'name: hostile\nservices: {a: {image: hostile, command: "true"}}\n';

describe.each(attackTargets)('an engine $engine', (target) => {
  const machine = useAttacked(target, stack);

  test('the engine’s program is neither overwritten nor looked into while it starts processes (CVE-2019-5736)', async () => {
    const before = digest();
    // Where a program of 64 bits says where it begins: told apart from others by it.
    const entry = readFileSync(helper).readBigUInt64LE(24);
    const {host} = machine;
    await mustLoadHostile(host, 'hostile', (root) => {
      writeFileSync(join(root, 'bin/again'), '#!/proc/self/exe\n', {mode: 0o755});
    });
    writeStack(
      host,
      `name: hostile
services:
  spy: {image: hostile, network_mode: none, init: true, command: [try, spy, "${entry}"], healthcheck: {test: "true", interval: 1s}}
  vandal: {image: hostile, network_mode: none, init: true, command: [try, overwrite], healthcheck: {test: [CMD, again], interval: 1s}}
  mighty: {image: hostile, network_mode: none, init: true, command: [try, overwrite], healthcheck: {test: [CMD, again], interval: 1s}, privileged: true}
`,
    );
    await mustUp(host);
    const logs = async () => (await host.tscompose(['logs', '--no-log-prefix', '--no-color'])).stdout;
    await eventually(async () => expect((await logs()).match(/looking/g)).toHaveLength(3), 30_000);
    for (let round = 0; round < 8; round += 1) {
      await Promise.all([
        inside(host, 'spy', 'true'),
        inside(host, 'vandal', '/bin/again', 'version'),
        inside(host, 'mighty', '/bin/again', 'version'),
      ]);
      // A process with all rights in a container of few: what runs there has none over it.
      for (const service of ['vandal', 'spy']) {
        const {code, stderr} = await host.tscompose(['exec', '-T', '--privileged', service, 'true']);
        expect({code, stderr}).toEqual({code: 0, stderr: ''});
      }
    }
    expect((await logs()).split('\n').filter((line) => line !== '' && line !== 'looking')).toEqual([]);
    expect(digest()).toBe(before);
    // What runs goes on from its own copy.
    for (const service of ['vandal', 'mighty']) expect(await inside(host, service, 'echo', 'fine')).toBe('fine\n');
  });

  test('what a container pushes into its terminal stays in it (TIOCSTI)', async () => {
    const {host} = machine;
    await mustLoadHostile(host, 'hostile', () => {});
    writeStack(
      host,
      'name: hostile\nservices: {a: {image: hostile, network_mode: none, init: true, command: sleep 600}}\n',
    );
    await mustUp(host);
    const cli = `${process.execPath} ${join(projectDirectory, 'dist/cli.cjs')}`;
    const line = (words: string) => `${cli} exec ${words} a try push_input; read -t 1 typed; echo "typed: <$typed>"`;
    const withTerminal = await host.command('python3', ['-c', onTerminal, line('')]);
    expect(withTerminal.stdout).toContain('push_input done');
    expect(withTerminal.stdout).toContain('typed: <>');
    const withPipes = await host.command('python3', ['-c', onTerminal, line('-T')]);
    expect(withPipes.stdout).toContain('push_input ENOTTY');
    expect(withPipes.stdout).toContain('typed: <>');
  });
});
