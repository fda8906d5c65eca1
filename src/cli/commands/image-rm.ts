import {toTscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import type {ImageInput} from '../image-flags.ts';
import {splitName} from '../image-name.ts';
import {reportError} from '../report-error.ts';
import {withEngine} from '../session.ts';
import {checkCount, wrongUse} from '../wrong-use.ts';

/** Goes on with the others where one fails. */
export function runImageRemove(context: CliContext, {args, flags}: ImageInput<'rm'>): Promise<number> {
  if (args.length === 0) throw wrongUse('too few arguments', 'write: tscompose engine rmi [OPTIONS] IMAGE...');
  return withEngine(context, async (docker) => {
    const failures: unknown[] = [];
    for (const name of args) {
      try {
        const removed = await docker.getImage(name).remove({
          force: flags.force,
          noprune: flags['no-prune'],
          platforms: flags.platform,
        });
        for (const {Untagged, Deleted} of removed) {
          context.stdout.write(Deleted === undefined ? `Untagged: ${Untagged}\n` : `Deleted: ${Deleted}\n`);
        }
      } catch (error) {
        failures.push(error);
      }
    }
    const last = failures.pop();
    if (last === undefined) return 0;
    for (const error of failures) reportError(context, toTscomposeError(error, 'cannot remove an image'));
    throw last;
  });
}

export function runImageTag(context: CliContext, {args}: ImageInput<'tag'>): Promise<number> {
  const [source = '', target = ''] = checkCount(args, {least: 2, usage: 'engine tag IMAGE NAME[:TAG]'});
  const {repository, tag} = splitName(target);
  return withEngine(context, async (docker) => {
    await docker.getImage(source).tag({repo: repository, tag});
    return 0;
  });
}
