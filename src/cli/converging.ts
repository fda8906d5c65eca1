import {systemClock} from '../base/clock.ts';
import type {Docker} from '../client/docker.ts';
import type {ConvergeContext} from '../reconcile/converge.ts';
import type {CliContext} from './context.ts';

/** As good as no limit. */
const unlimited = 256;

/** What work of the reconciler takes from the command line. */
export function converging(
  context: CliContext,
  docker: Docker,
): Pick<ConvergeContext, 'engine' | 'clock' | 'parallel' | 'registryAuth' | 'build'> {
  const {
    global: {parallel},
    now,
    env,
  } = context;
  return {
    engine: docker,
    clock: systemClock(now),
    registryAuth: async (image) => (await import('./credentials.ts')).authFor({env}, image),
    build: async (request) => (await import('./build/build-image.ts')).imageBuilder(context, docker)(request),
    ...(parallel !== undefined && {parallel: parallel < 1 ? unlimited : parallel}),
  };
}
