import type {ChildProcess} from 'node:child_process';
import type {Duplex} from 'node:stream';
import {TscomposeError} from '../../base/errors.ts';

/**
 * Descriptor 3 of a helper that was just spawned. Where this program has no descriptor left Node makes no streams at all, and
 * tells so only afterwards. Throws `exhausted`.
 */
export function controlPipe(child: ChildProcess): Duplex {
  const streams: readonly unknown[] | undefined = child.stdio;
  const control = streams?.[3];
  if (control) return control as Duplex;
  child.once('error', () => {});
  throw new TscomposeError('exhausted', 'cannot start the native helper: too many open files', {
    hint: 'raise the limit of open files ("ulimit -n")',
  });
}
