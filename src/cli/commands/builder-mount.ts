import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {resolve} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import type {BuilderInput} from '../builder-flags.ts';
import type {CliContext} from '../context.ts';
import {withEngine} from '../session.ts';
import {checkOutput, writeArchive} from '../write-archive.ts';
import {checkCount, wrongUse} from '../wrong-use.ts';

export function runMountExport(context: CliContext, {args, flags}: BuilderInput<'export'>): Promise<number> {
  const [id = ''] = checkCount(args, {least: 1, usage: 'engine builder export [-o FILE] MOUNT'});
  checkOutput(context, flags.output);
  return withEngine(context, async (docker) => {
    await writeArchive(context, flags.output, await docker.exportBuildMount(id));
    return 0;
  });
}

export function runMountImport(context: CliContext, {args, flags}: BuilderInput<'import'>): Promise<number> {
  const [id = ''] = checkCount(args, {least: 1, usage: 'engine builder import [-i FILE] MOUNT'});
  return withEngine(context, async (docker) => {
    await docker.importBuildMount(id, await openArchive(context, flags.input));
    return 0;
  });
}

async function openArchive({cwd, stdin}: CliContext, input: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  if (input === undefined || input === '-') {
    if (stdin.isTTY === true) throw wrongUse('standard input is a terminal, and not an archive', 'name one with -i');
    return stdin;
  }
  const path = resolve(cwd, input);
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const [kind, reason] =
      cause.code === 'ENOENT' ? (['notFound', 'no such file'] as const) : (['forbidden', cause.message] as const);
    throw new TscomposeError(kind, `cannot read ${input}: ${reason}`, {cause});
  });
  if (found.isDirectory()) throw new TscomposeError('invalid', `cannot read ${input}: a directory is no archive`);
  return createReadStream(path, {highWaterMark: 1 << 20});
}
