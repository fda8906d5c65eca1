import {execFile} from 'node:child_process';
import {constants} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {access, readFile} from '../at-once.ts';

const run = promisify(execFile);

/**
 * The helper's program: `given` (TSCOMPOSE_HELPER), else the one of the installed package (`native/linux-x64/` beside the
 * bundle), else the one built in a source tree, else one that is made from the package's sources in `buildDirectory`.
 * Throws `unavailable` where there is none.
 */
export async function locateHelper(given?: string, buildDirectory?: string): Promise<string> {
  if (given !== undefined && given !== '') {
    if (await isExecutable(given)) return given;
    throw new TscomposeError(
      'unavailable',
      `TSCOMPOSE_HELPER names ${given}, which is not a program that can be executed`,
    );
  }
  const here = dirname(fileURLToPath(import.meta.url));
  for (const place of candidates(here)) if (await isExecutable(place)) return place;
  for (const sources of [join(here, '../native'), join(here, '../../native')]) {
    if (buildDirectory === undefined || !(await isReadable(join(sources, 'Makefile')))) continue;
    const {buildHelper} = await import('./build-helper.ts');
    return buildHelper(sources, buildDirectory);
  }
  throw new TscomposeError('unavailable', 'the native helper "tscompose-helper" is not installed', {
    hint: 'run "npm ci" (it needs a C compiler and make), or name the program in TSCOMPOSE_HELPER',
  });
}

/** `directory` is that of this code: `dist` when bundled, `src/engine/helper` in a source tree. */
function candidates(directory: string): readonly string[] {
  const packaged = join('native', `linux-${process.arch}`, 'tscompose-helper');
  return [
    join(directory, packaged),
    join(directory, '../../../native/build/tscompose-helper'),
    join(directory, '../../../dist', packaged),
  ];
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/**
 * The 16 bytes that stand for the helper's sources: streams to it start with them. The build leaves them beside the
 * program; where they are not, the program is asked.
 */
export async function readHelperBuild(path: string): Promise<Uint8Array> {
  const beside = await readFile(join(dirname(path), 'build-id'), 'utf8').catch(() => '');
  if (/^[0-9a-f]{32}\s*$/.test(beside)) return Buffer.from(beside.trim(), 'hex');
  try {
    const {stdout} = await run(path, ['version'], {env: {}, timeout: 10_000});
    const {build} = JSON.parse(stdout) as {readonly build?: unknown};
    if (typeof build === 'string' && /^[0-9a-f]{32}$/.test(build)) return Buffer.from(build, 'hex');
  } catch (error) {
    throw new TscomposeError('unavailable', `${path} does not run: ${toTscomposeError(error).message}`, {cause: error});
  }
  throw new TscomposeError('unavailable', `${path} is not the tscompose helper`);
}
