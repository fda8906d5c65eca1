import {spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {constants, release} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {askUdp} from './dns-ask.ts';
import {decodeMessage, encodeQuery, types} from './dns-messages.ts';
import {makeNetworkBed, nativeProgram} from './network-bed.ts';

const enosys = () => nativeProgram('enosys');

/** Numbers are the same on every architecture. */
const calls = {process_mrelease: 448, futex_waitv: 449, cachestat: 451, mseal: 462} as const;
const {EINVAL, ENOSYS} = constants.errno;

/** Makes the calls with senseless arguments under the filter. */
function errnos(options: readonly string[]): Record<string, number> {
  const {stdout, stderr, status} = spawnSync(enosys(), [...options, '-t', ...Object.values(calls).map(String)], {
    encoding: 'utf8',
  });
  expect({stderr, status}).toEqual({stderr: '', status: 0});
  const byNumber = new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number) as [number, number]),
  );
  return Object.fromEntries(Object.entries(calls).map(([name, number]) => [name, byNumber.get(number) ?? -1]));
}

test('calls after 5.15 are missing, those before are not', () => {
  expect(errnos([])).toEqual({process_mrelease: EINVAL, futex_waitv: ENOSYS, cachestat: ENOSYS, mseal: ENOSYS});
  expect(errnos(['-n', '448'])).toMatchObject({process_mrelease: ENOSYS});
  // futex_waitv came with 5.16: on a newer kernel it is the filter that takes it away.
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major > 5 || (major === 5 && minor >= 16)) expect(errnos(['-n', '100000'])['futex_waitv']).not.toBe(ENOSYS);
});

test('exit codes and privileges are the program’s own', () => {
  const run = (...words: readonly string[]) => spawnSync(enosys(), words, {encoding: 'utf8'});
  expect(run('sh', '-c', 'exit 7').status).toBe(7);
  expect(run('/nonexistent').status).toBe(127);
  expect(run('grep', 'NoNewPrivs', '/proc/self/status').stdout.trim()).toBe('NoNewPrivs:\t0');
});

test('the network child starts and answers without them', async () => {
  await using bed = await makeNetworkBed();
  const names = join(bed.directory, 'names');
  mkdirSync(names);
  writeFileSync(join(names, 'c1'), '172.18.0.2 | web\n');
  const child = await bed.start({
    lines: ['dns 127.0.0.11 53', `network shop ${names}`, 'publish tcp 127.0.0.1 8080 127.0.0.1 80'],
    under: [enosys()],
  });
  const reply = await bed.container.run(askUdp, [encodeQuery('web', types.A)]);
  expect(decodeMessage(reply ?? Buffer.alloc(0)).answers.map(({data}) => data)).toEqual(['172.18.0.2']);
  await child.stop();
});
