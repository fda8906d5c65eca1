import type {ContainerStats} from '../../api/types/stats.ts';
import type {Clock} from '../../base/clock.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {hasKind} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {usageOf} from '../../report/container-usage.ts';
import type {ContainerSnapshot, StatsSample, UiEventContent} from '../../tui/types.ts';
import {statsOf} from '../stats/sample.ts';

export interface PollUsageOptions {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly containers: () => Iterable<ContainerSnapshot>;
  readonly emit: (event: UiEventContent) => void;
  readonly signal: AbortSignal;
}

const samplesAtOnce = 4;

/** Reading a sample costs about a dozen small files of the kernel: the more containers, the less often. */
function intervalMs(containers: number): number {
  return containers <= 10 ? 1000 : containers <= 30 ? 2000 : 4000;
}

/**
 * Samples what the running containers use, until the signal. An engine without statistics is asked once. Never rejects.
 */
export async function pollUsage({docker, clock, containers, emit, signal}: PollUsageOptions): Promise<void> {
  let before = new Map<string, ContainerStats>();
  while (!signal.aborted) {
    const running = [...containers()].filter(({phase}) => phase === 'running');
    try {
      const now = new Map<string, ContainerStats>();
      await mapLimited(running, samplesAtOnce, async ({id}) => {
        const stats = await statsOf(docker, id, signal);
        if (stats !== undefined) now.set(id, stats);
      });
      const samples = running.flatMap(({id}) => usage(now.get(id), before.get(id)));
      if (samples.length > 0) emit({kind: 'stats', samples});
      before = now;
    } catch (error) {
      if (hasKind(error, 'unsupported')) return;
      // An engine that is away is told of by its events.
    }
    await clock.sleep(intervalMs(running.length), signal);
  }
}

/** Nothing for the first sample: processor time is told as the difference of two. */
function usage(now: ContainerStats | undefined, before: ContainerStats | undefined): readonly StatsSample[] {
  const used = now === undefined ? undefined : usageOf(now, before);
  if (now === undefined || used?.cpuPercent === undefined) return [];
  // Its limit is known from the container; where it has none, an engine tells the machine's memory.
  return [{id: now.id, cpuPercent: used.cpuPercent, memoryBytes: used.memory}];
}
