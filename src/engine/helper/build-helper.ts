import {execFile} from 'node:child_process';
import {access, cp, mkdir, mkdtemp, rename, rm} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {TscomposeError} from '../../base/errors.ts';

const run = promisify(execFile);

/**
 * Makes the helper from the sources that the package carries, for a machine whose architecture has none ready. Needs
 * a C compiler and make; throws `unavailable` naming what is missing. The program is whole or absent: it is built
 * aside and moved. Answers its path.
 */
export async function buildHelper(sources: string, directory: string): Promise<string> {
  const program = join(directory, `linux-${process.arch}`, 'tscompose-helper');
  if (await exists(program)) return program;
  await Promise.all(['cc', 'make'].map(requireTool));
  await mkdir(dirname(program), {recursive: true, mode: 0o700});
  const work = await mkdtemp(join(directory, '.build-'));
  try {
    await cp(sources, join(work, 'native'), {recursive: true});
    await run('make', [
      '-s',
      `-j${availableParallelism()}`,
      '-C',
      join(work, 'native'),
      `BUILD=${join(work, 'build')}`,
    ]);
    for (const file of ['build-id', 'tscompose-helper']) {
      await rename(join(work, 'build', file), join(dirname(program), file));
    }
    return program;
  } catch (error) {
    const {stderr = '', message} = error as Error & {readonly stderr?: string};
    const last = stderr.trim().split('\n').at(-1) ?? '';
    throw new TscomposeError('unavailable', `the native helper does not compile: ${last || message}`, {cause: error});
  } finally {
    await rm(work, {recursive: true, force: true});
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function requireTool(tool: string): Promise<void> {
  await run(tool, ['--version']).catch((error: unknown) => {
    throw new TscomposeError(
      'unavailable',
      `there is no native helper for linux-${process.arch}, and "${tool}" to build one is missing`,
      {hint: 'install a C compiler and make (Debian, Ubuntu: apt-get install gcc make libc6-dev)', cause: error},
    );
  });
}
