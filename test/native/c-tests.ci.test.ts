import {spawnSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {projectDirectory} from '../support/host.ts';

test('the tests written in C and the fuzz corpora pass under the sanitizers', {timeout: 400_000}, () => {
  const {status, stdout, stderr} = spawnSync('make', ['-s', '-C', join(projectDirectory, 'native'), 'test'], {
    encoding: 'utf8',
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
  expect(stdout).toContain('test-paths');
  const targets = readdirSync(join(projectDirectory, 'native/test')).filter((name) => /^fuzz-.*\.c$/.test(name));
  expect(targets.length).toBeGreaterThan(3);
  for (const target of targets) expect(stdout).toContain(`files of test/corpus/${target.slice(0, -2)}`);
});
