import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll} from 'vitest';
import {startHelper} from './helper-process.ts';
import {nativeProgram} from './network-bed.ts';

/**
 * The same tests once more where every call from open_tree (428) on is missing: the mount API, clone3, openat2,
 * close_range. Each has another way, and that way must be as safe.
 */
const filter = nativeProgram('enosys');
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
