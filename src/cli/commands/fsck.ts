import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {createEngine} from '../../engine/create-engine.ts';
import type {StoreReport} from '../../engine/image/fsck-repair.ts';
import type {CliContext} from '../context.ts';
import type {ImageInput} from '../image-flags.ts';
import {engineOptions} from '../open-engine.ts';
import {toLines} from '../row-template.ts';
import {checkCount} from '../wrong-use.ts';

/** Ends with 1 where something is broken, and with repair where something is left so. */
export async function runFsck(context: CliContext, {args, flags}: ImageInput<'fsck'>): Promise<number> {
  checkCount(args, {least: 0, usage: 'engine fsck [OPTIONS]'});
  if (context.global.host !== undefined) {
    throw new TscomposeError('unsupported', 'only the store of the built-in engine can be checked, not that of --host');
  }
  const engine = await createEngine(engineOptions(context));
  try {
    const report = await engine.images.check({repair: flags.repair});
    context.stdout.write(flags.format === 'json' ? `${JSON.stringify(report)}\n` : describe(report));
    return (report.repaired?.left ?? report.faults).length === 0 ? exitCodes.success : exitCodes.failure;
  } finally {
    await engine.close();
  }
}

function describe({blobs, layers, images, names, faults, waste, repaired}: StoreReport): string {
  const broken = faults.map(({kind, subject, problem}) => `${kind} ${subject}: ${problem}`);
  const counts = `${blobs} blobs, ${layers} layers, ${images} images, ${names} names: ${
    faults.length === 0 ? 'all whole' : `${faults.length} problems`
  }`;
  const left = repaired?.left.map(({kind, subject, problem}) => `left: ${kind} ${subject}: ${problem}`) ?? [];
  return toLines([
    ...broken,
    ...(repaired?.done ?? []),
    ...left,
    counts,
    ...(waste === 0
      ? []
      : [`${waste} files and directories that nobody needs: "tscompose engine image prune" removes them`]),
  ]);
}
