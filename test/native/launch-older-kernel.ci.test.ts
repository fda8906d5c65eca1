import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll} from 'vitest';
import {startHelper} from './helper-process.ts';
import {nativeProgram} from './network-bed.ts';

/**
 * Launching, exec and the attacks on both once more where the calls are missing that have another way: the mount API
 * (428 to 433), clone3, close_range, openat2 (435 to 437), mount_setattr (442), and all that came after Linux 5.15.
 */
const filter = nativeProgram('enosys');
const helper = startHelper();
const program = await helper.path();
await helper.close();

const directory = mkdtempSync(join(tmpdir(), 'tscompose-older-'));
const wrapper = join(directory, 'tscompose-helper');
const ranges = ['428-433', '435-437', '442-442', '449'];
writeFileSync(wrapper, `#!/bin/sh\nexec ${ranges.map((range) => `${filter} -n ${range}`).join(' ')} ${program} "$@"\n`);
chmodSync(wrapper, 0o755);
process.env['TSCOMPOSE_HELPER'] = wrapper;
afterAll(() => rmSync(directory, {recursive: true}));

await import('./launch.test.ts');
await import('./launch-process.test.ts');
await import('./launch-root.test.ts');
await import('./exec.test.ts');
await import('./attack.test.ts');
await import('./attack-exec.test.ts');
