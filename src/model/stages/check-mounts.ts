import {posix} from 'node:path';
import type {Service} from '../types.ts';
import {type CheckContext, place} from './check-context.ts';

interface Mount {
  readonly target: string;
  readonly path: readonly (string | number)[];
}

/** A memory file system at a place that is taken would hide what is there, or be hidden itself. */
export function checkMounts(name: string, {tmpfs = [], volumes = []}: Service, context: CheckContext): void {
  const taken = new Map<string, Mount>();
  const mounts: readonly Mount[] = [
    ...tmpfs.map((text, index) => ({target: posix.resolve('/', text.split(':', 1)[0] ?? ''), path: ['tmpfs', index]})),
    ...volumes.map(({target}, index) => ({target: posix.resolve('/', target), path: ['volumes', index]})),
  ];
  for (const mount of mounts) {
    const first = taken.get(mount.target);
    if (first === undefined) {
      taken.set(mount.target, mount);
      continue;
    }
    const at = place(context, ['services', name, ...first.path], 'value');
    context.problems.error(place(context, ['services', name, ...mount.path], 'value'), {
      code: 'conflict',
      message: `services.${name}: two things are mounted at "${mount.target}"`,
      hint: 'remove one of them, or give it another target',
      related: at === undefined ? undefined : {message: 'mounted first', at},
    });
  }
}
