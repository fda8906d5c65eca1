import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {execute, makeHost, projectDirectory} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

test('a real limit of open files is named, whoever meets it, and nothing of the attempt is in the way', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    'name: low\nservices:\n  a: {image: busybox, command: sleep 1000, init: true}\n',
  );
  const run = (line: string) =>
    execute('nsenter', [`--net=/run/netns/${host.namespace}`, '--', 'sh', '-c', line], {
      env: {...host.env, CLI: join(projectDirectory, 'dist/cli.cjs'), NODE: process.execPath},
      cwd: host.directory,
      timeoutMs: 60_000,
    });
  // The command line, the helper that it starts, the monitor that the helper starts: by what each needs.
  for (const limit of [18, 20, 22, 30, 64]) {
    const {code, stdout} = await run(`ulimit -n ${limit}; exec "$NODE" "$CLI" up -d 2>&1`);
    expect({limit, code, stdout}).toEqual({
      limit,
      code: expect.any(Number),
      stdout: expect.stringMatching(/too many open files/),
    });
    expect({limit, code}).not.toEqual({limit, code: 0});
    expect((await run('"$NODE" "$CLI" ps -a --format "{{.State}}"')).stdout.trim()).toMatch(/^(created|exited)?$/);
    expect((await run('"$NODE" "$CLI" up -d')).code).toBe(0);
    expect((await run('"$NODE" "$CLI" ps --format "{{.State}}"')).stdout.trim()).toBe('running');
    expect((await run('"$NODE" "$CLI" down -t 0')).code).toBe(0);
  }
  expect(host.leftovers()).toEqual([]);
});
