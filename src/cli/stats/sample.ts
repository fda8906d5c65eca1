import type {ContainerStats} from '../../api/types/stats.ts';
import type {Clock} from '../../base/clock.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {hasKind} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {type ContainerUsage, usageOf} from '../../report/container-usage.ts';
import type {ProjectContainer} from '../project-containers.ts';

export interface UsageSample {
  readonly container: ProjectContainer;
  /** Undefined for one that does not run. */
  readonly usage: ContainerUsage | undefined;
}

export interface SampleOptions {
  readonly docker: Docker;
  readonly list: () => Promise<readonly ProjectContainer[]>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly intervalMs: number;
}

const atOnce = 8;

/**
 * What the containers use: at once, where processor time is not known yet, then again and again until the signal. Each time
 * they are listed anew, so that those that come and go are followed.
 */
export async function* sampleUsage(options: SampleOptions): AsyncGenerator<readonly UsageSample[], void, undefined> {
  const {docker, list, clock, signal, intervalMs} = options;
  let before = new Map<string, ContainerStats>();
  while (!signal.aborted) {
    const began = clock.now();
    const now = new Map<string, ContainerStats>();
    const containers = await list();
    await mapLimited(containers, atOnce, async ({id}) => {
      const stats = await statsOf(docker, id);
      if (stats !== undefined) now.set(id, stats);
    });
    yield containers.flatMap((container) => {
      const stats = now.get(container.id);
      return stats === undefined ? [] : [{container, usage: usageOf(stats, before.get(container.id))}];
    });
    before = now;
    await clock.sleep(Math.max(0, began + intervalMs - clock.now()), signal);
  }
}

/** One sample at once, without processor time. Undefined for one that was removed since it was listed, and after the signal. */
export async function statsOf(
  docker: Docker,
  id: string,
  abortSignal?: AbortSignal,
): Promise<ContainerStats | undefined> {
  try {
    return await docker.getContainer(id).stats({stream: false, oneShot: true, abortSignal});
  } catch (error) {
    if (hasKind(error, 'notFound', 'conflict', 'canceled')) return undefined;
    throw error;
  }
}
