import {spawnSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {projectDirectory} from '../support/host.ts';

/** How long each target runs. */
const seconds = 600;
const native = join(projectDirectory, 'native');
const targets = readdirSync(join(native, 'test'))
  .filter((name) => /^fuzz-.*\.c$/.test(name))
  .map((name) => name.slice(0, -2));

describe('inputs that a fuzzer makes, under the sanitizers', () => {
  let work: string;

  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'tsc-fuzz-'));
    const {status, stderr} = spawnSync('make', ['-s', '-C', native, `BUILD=${work}/build`, 'fuzz'], {encoding: 'utf8'});
    expect({status, stderr}).toMatchObject({status: 0});
  }, 300_000);

  afterAll(() => rmSync(work, {recursive: true, force: true}));

  test.each(targets)('%s finds nothing', {timeout: (seconds + 120) * 1000}, (target) => {
    const corpus = join(work, `corpus-${target}`);
    mkdirSync(corpus);
    const known = join(native, 'test/corpus', target);
    if (existsSync(known)) cpSync(known, corpus, {recursive: true});
    const {status, stderr} = spawnSync(
      join(work, 'build/fuzz', target),
      [`-max_total_time=${seconds}`, '-timeout=10', '-rss_limit_mb=2048', `-artifact_prefix=${work}/`, corpus],
      {encoding: 'utf8', maxBuffer: 1 << 28, cwd: work},
    );
    // What it found stands at the end, as bytes in base 64.
    expect(status, stderr.slice(-4000)).toBe(0);
    expect(/stat::number_of_executed_units|Done (\d+) runs/.exec(stderr)?.[0]).toBeDefined();
  });
});
