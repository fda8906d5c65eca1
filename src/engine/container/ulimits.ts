import type {Ulimit} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';

/** getrlimit(2), without the prefix. */
const names = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
];

/** Throws `invalid`. */
export function checkUlimits(ulimits: readonly Ulimit[]): void {
  for (const {Name, Soft, Hard} of ulimits) {
    if (!names.includes(Name.toLowerCase())) throw new TscomposeError('invalid', `invalid ulimit type: ${Name}`);
    if (Hard !== -1 && (Soft > Hard || Soft === -1))
      throw new TscomposeError(
        'invalid',
        `ulimit ${Name}: the soft limit must not be greater than the hard limit: ${Soft} > ${Hard}`,
      );
  }
}
