import {execFileSync} from 'node:child_process';
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll} from 'vitest';
import {projectDirectory} from '../support/host.ts';
import {startHelper} from './helper-process.ts';

/**
 * The same tests once more where every call from open_tree (428) on is missing: the mount API, clone3, openat2,
 * close_range. Each has another way, and that way must be as safe.
 */
const native = join(projectDirectory, 'native');
const filter = join(native, 'build/program/enosys');
execFileSync('make', ['-s', '-C', native, 'build/program/enosys']);
const helper = startHelper();
const program = await helper.path();
await helper.close();

const directory = mkdtempSync(join(tmpdir(), 'tscompose-older-'));
const wrapper = join(directory, 'tscompose-helper');
writeFileSync(wrapper, `#!/bin/sh\nexec ${filter} -n 428 ${program} "$@"\n`);
chmodSync(wrapper, 0o755);
process.env['TSCOMPOSE_HELPER'] = wrapper;
afterAll(() => rmSync(directory, {recursive: true}));

await import('./coprocess.test.ts');
await import('./unpack.test.ts');
