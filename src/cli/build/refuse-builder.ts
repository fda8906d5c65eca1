import {TscomposeError} from '../../base/errors.ts';

/** `default` is the one that Docker's clients name where nobody chose. Throws `unsupported`. */
export function refuseBuilder(name: string | undefined): void {
  if (name === undefined || name === 'default') return;
  throw new TscomposeError('unsupported', '--builder is not supported: there is one builder, in this program', {
    hint: 'leave it out',
  });
}
