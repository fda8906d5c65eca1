import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {resolve} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import type {ImageInput} from '../image-flags.ts';
import {splitName} from '../image-name.ts';
import {withEngine} from '../session.ts';
import {checkCount} from '../wrong-use.ts';

export function runImageImport(context: CliContext, {args, flags}: ImageInput<'import'>): Promise<number> {
  const usage = 'engine import [OPTIONS] FILE|URL|- [REPOSITORY[:TAG]]';
  const [source = '', name] = checkCount(args, {least: 1, most: 2, usage});
  const {repository, tag} = name === undefined ? {repository: undefined, tag: undefined} : splitName(name);
  return withEngine(context, async (docker) => {
    const archive = await openSource(context, source);
    const lines = await docker.importImage(archive, {
      repo: repository,
      tag,
      message: flags.message,
      changes: flags.change,
      platform: flags.platform,
    });
    await docker.followProgress(lines, ({status, id}) => {
      if (status !== undefined && id === undefined) context.stdout.write(`${status}\n`);
    });
    return 0;
  });
}

async function openSource(
  context: CliContext,
  source: string,
): Promise<AsyncIterable<Uint8Array> | {readonly url: string}> {
  if (source === '-') return context.stdin;
  if (/^https?:\/\//.test(source)) return {url: source};
  const path = resolve(context.cwd, source);
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const [kind, reason] =
      error.code === 'ENOENT'
        ? (['notFound', 'no such file or directory'] as const)
        : (['forbidden', error.message] as const);
    throw new TscomposeError(kind, `cannot import ${source}: ${reason}`, {cause: error});
  });
  if (found.isDirectory()) {
    throw new TscomposeError('invalid', `cannot import ${source}: a directory is not an archive`, {
      hint: `create one: tar -C ${source} -c . | tscompose engine import - NAME`,
    });
  }
  return createReadStream(path, {highWaterMark: 1 << 20});
}
