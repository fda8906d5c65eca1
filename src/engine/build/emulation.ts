import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import {formatPlatform, type Platform, parsePlatform} from '../image/platform.ts';

/** Of programs (ELF): the class, and the kind of machine with the order of its bytes. */
const programs: Readonly<Record<string, {readonly bits: 1 | 2; readonly machine: string}>> = {
  '386': {bits: 1, machine: '0300'},
  amd64: {bits: 2, machine: '3e00'},
  arm: {bits: 1, machine: '2800'},
  arm64: {bits: 2, machine: 'b700'},
  loong64: {bits: 2, machine: '0201'},
  mips64le: {bits: 2, machine: '0800'},
  ppc64le: {bits: 2, machine: '1500'},
  riscv64: {bits: 2, machine: 'f300'},
  s390x: {bits: 2, machine: '0016'},
};

/** Where the kernel lists what runs programs that it does not run itself (its documentation, admin-guide/binfmt-misc). */
const binfmtDirectory = '/proc/sys/fs/binfmt_misc';

/** Whether steps for a platform can run here by an emulator that the kernel starts. */
async function isEmulated({architecture}: Pick<Platform, 'architecture'>, directory = binfmtDirectory) {
  const program = programs[architecture];
  if (program === undefined) return false;
  const names = await readdir(directory).catch(() => []);
  const entries = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8').catch(() => '')));
  return entries.some((entry) => emulates(entry, program));
}

/** One that is opened when a program starts (flag F) is found whatever the root file system is. */
function emulates(entry: string, {bits, machine}: {readonly bits: 1 | 2; readonly machine: string}): boolean {
  const lines = entry.split('\n');
  const value = (name: string) => lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
  const flags = lines.find((line) => line.startsWith('flags:')) ?? '';
  const magic = value('magic');
  return (
    lines[0] === 'enabled' &&
    flags.includes('F') &&
    value('offset') === '0' &&
    magic.startsWith(`7f454c460${bits}`) &&
    magic.slice(36, 40) === machine
  );
}

/** Throws `unsupported` where steps for a platform cannot run. */
export async function checkRunnable(platform: string, machine: Platform, directory?: string): Promise<void> {
  if (await isEmulated(parsePlatform(platform), directory)) return;
  throw new TscomposeError(
    'unsupported',
    `RUN cannot run programs for ${platform}: this machine is ${formatPlatform(machine)}`,
    {
      hint: 'build in a stage FROM --platform=$BUILDPLATFORM and copy from it, or install an emulator for the kernel ("apt install qemu-user-static")',
    },
  );
}
