import {systemClock} from '../base/clock.ts';
import type {Docker} from '../client/docker.ts';
import type {ConvergeContext} from '../reconcile/converge.ts';
import type {BuildExtras} from './build/build-image.ts';
import type {CliContext} from './context.ts';

/** As good as no limit. */
const unlimited = 256;

/** What work of the reconciler takes from the command line. `extras`: what is said of builds besides the stack. */
export function converging(
  context: CliContext,
  docker: Docker,
  extras: () => BuildExtras = () => ({}),
): Pick<ConvergeContext, 'engine' | 'clock' | 'parallel' | 'registryAuth' | 'build'> {
  const {
    global: {parallel},
    now,
    env,
  } = context;
  return {
    engine: docker,
    clock: systemClock(now),
    registryAuth: async (image, tell) => (await import('./credentials.ts')).authFor({env}, image, tell),
    build: async (request) => (await import('./build/build-image.ts')).imageBuilder(context, docker, extras())(request),
    ...(parallel !== undefined && {parallel: parallel < 1 ? unlimited : parallel}),
  };
}
