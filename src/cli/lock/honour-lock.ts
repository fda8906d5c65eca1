import {TscomposeError} from '../../base/errors.ts';
import type {FileSource} from '../../base/file-source.ts';
import type {Project} from '../../model/types.ts';
import type {BuildExtras} from '../build/build-image.ts';
import type {CliContext} from '../context.ts';
import {wrongUse} from '../wrong-use.ts';

export interface LockFlags {
  readonly locked: boolean;
  readonly 'lock-file'?: string;
}

export interface HonouredLock {
  readonly project: Project;
  readonly extras: BuildExtras;
  /** Images that are not pulled. */
  readonly unpulled?: ReadonlySet<string>;
}

/** The stack as its lock, one of `files`, has it, and what its builds may take. Without `--locked` the stack as it is. */
export async function honourLock(
  context: Pick<CliContext, 'cwd'>,
  project: Project,
  flags: LockFlags,
  files?: FileSource,
): Promise<HonouredLock> {
  if (!flags.locked) {
    if (flags['lock-file'] !== undefined) throw wrongUse('--lock-file without --locked has no meaning');
    return {project, extras: {}};
  }
  const [{lockPlace, readLock}, {lockedProject, pinsOf}] = await Promise.all([
    import('./lock-file.ts'),
    import('./locked-project.ts'),
  ]);
  const place = lockPlace(context, project, flags['lock-file']);
  const lock = await readLock(place, files);
  if (lock === undefined)
    throw new TscomposeError('notFound', `--locked: there is no ${place.shown}`, {hint: 'write it: tscompose lock'});
  return {...lockedProject(project, lock), extras: {pins: pinsOf(lock)}};
}

/** What a person types for the same lock. */
export function lockWords({locked, 'lock-file': file}: LockFlags): readonly string[] {
  return locked ? ['--locked', ...(file === undefined ? [] : ['--lock-file', file])] : [];
}
