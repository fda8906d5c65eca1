import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {projectDirectory} from '../support/host.ts';

test('the tests written in C and the fuzz corpora pass under the sanitizers', {timeout: 400_000}, () => {
  const {status, stdout, stderr} = spawnSync('make', ['-s', '-C', join(projectDirectory, 'native'), 'test'], {
    encoding: 'utf8',
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
  expect(stdout).toContain('test-paths');
  expect(stdout).toContain('files of test/corpus/fuzz-tar');
});
