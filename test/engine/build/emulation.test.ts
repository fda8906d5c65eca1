import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {checkRunnable} from '../../../src/engine/build/emulation.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tscompose-binfmt-'));
});
afterEach(() => rmSync(directory, {recursive: true}));

/** As the kernel shows an emulator for programs of 64-bit ARM. */
const entry = ({state = 'enabled', flags = 'OCF', machine = 'b700'} = {}) =>
  `${state}
interpreter /usr/bin/qemu-aarch64
flags: ${flags}
offset 0
magic 7f454c460201010000000000000000000200${machine}
mask ffffffffffffff00fffffffffffffffffeffffff
`;

const machine = {os: 'linux', architecture: 'amd64'};

test('a machine runs what its kernel has an emulator for, whatever the root file system is', async () => {
  writeFileSync(join(directory, 'status'), 'enabled\n');
  writeFileSync(join(directory, 'qemu-aarch64'), entry());
  await expect(checkRunnable('linux/arm64', machine, directory)).resolves.toBeUndefined();
});

test.each([
  ['one that is switched off', entry({state: 'disabled'})],
  ['one that would have to be in the image', entry({flags: 'OC'})],
  ['one for other machines', entry({machine: 'f300'})],
  ['none', 'enabled\n'],
])('%s is none', async (_name, text) => {
  writeFileSync(join(directory, 'entry'), text);
  await expect(checkRunnable('linux/arm64', machine, directory)).rejects.toMatchObject({
    kind: 'unsupported',
    message: 'RUN cannot run programs for linux/arm64: this machine is linux/amd64',
    hint: expect.stringContaining('FROM --platform=$BUILDPLATFORM'),
  });
});

test('without binfmt_misc there is none', async () => {
  await expect(checkRunnable('linux/arm64', machine, join(directory, 'missing'))).rejects.toMatchObject({
    kind: 'unsupported',
  });
});
