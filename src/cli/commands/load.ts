import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {resolve} from 'node:path';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import type {ImageInput} from '../image-flags.ts';
import {withEngine} from '../session.ts';
import {checkCount} from '../wrong-use.ts';

export function runLoad(context: CliContext, input: Input<'load'>): Promise<number> {
  return withEngine(context, async (docker) => {
    const source = await openSource(context, input);
    const lines =
      input.flags.import === undefined ? await docker.loadImage(source) : await importImage(docker, source, input);
    await docker.followProgress(lines, (line) => {
      if (!input.flags.quiet && line.stream !== undefined) context.stdout.write(line.stream);
      if (!input.flags.quiet && line.status !== undefined && line.id === undefined)
        context.stdout.write(`${line.status}\n`);
    });
    return 0;
  });
}

/** As "docker load": an archive from a file or standard input. */
export function runImageLoad(context: CliContext, {args, flags}: ImageInput<'load'>): Promise<number> {
  checkCount(args, {least: 0, usage: 'engine load [-i FILE]'});
  return withEngine(context, async (docker) => {
    const source = await openNamed(context, flags.input);
    const lines = await docker.loadImage(source, {quiet: flags.quiet, platform: flags.platform});
    await docker.followProgress(lines, (line) => {
      // As Docker: to be quiet is to leave out how it comes along, not what came.
      if (line.stream !== undefined) context.stdout.write(line.stream);
    });
    return 0;
  });
}

async function openSource(
  context: CliContext,
  input: Input<'load'>,
): Promise<AsyncIterable<Uint8Array> | {readonly path: string}> {
  const [directory, ...more] = input.args;
  if (more.length > 0 || (directory !== undefined && input.flags.input !== undefined)) {
    throw new TscomposeError('invalid', 'load reads one archive or directory at a time', {exitCode: exitCodes.usage});
  }
  return await openNamed(context, input.flags.input ?? directory);
}

async function openNamed(
  context: CliContext,
  named: string | undefined,
): Promise<AsyncIterable<Uint8Array> | {readonly path: string}> {
  if (named === undefined || named === '-') {
    if (context.stdin.isTTY === true) {
      throw new TscomposeError('invalid', 'nothing to load: standard input is a terminal', {
        exitCode: exitCodes.usage,
        hint: 'name an archive with -i, or a directory with an OCI layout',
      });
    }
    return context.stdin;
  }
  const path = resolve(context.cwd, named);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new TscomposeError(
      error.code === 'EACCES' ? 'forbidden' : 'notFound',
      `cannot load ${named}: ${reasonOf(error)}`,
    );
  });
  return found.isDirectory() ? {path} : createReadStream(path, {highWaterMark: 1 << 20});
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'no such file or directory';
  return error.code === 'EACCES' ? 'permission denied' : error.message;
}

function importImage(
  docker: Docker,
  source: AsyncIterable<Uint8Array> | {readonly path: string},
  input: Input<'load'>,
) {
  if (!(Symbol.asyncIterator in source)) {
    throw new TscomposeError('invalid', `cannot import ${source.path}: a directory is not an archive`, {
      hint: `create one: tar -C ${source.path} -c . | tscompose load --import NAME`,
    });
  }
  const {import: name = '', change} = input.flags;
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  const [repo, tag] = colon === -1 ? [name, 'latest'] : [name.slice(0, colon), name.slice(colon + 1)];
  return docker.importImage(source, {repo, tag, changes: change});
}
