import {composeLabels} from '../api/labels.ts';
import type {EngineEvent} from '../api/types/system.ts';
import type {EngineClient} from './engine-client.ts';

export interface ContainerEvents extends AsyncDisposable {
  /** Ids of the containers that something happened to since the last call; waits until there is one. */
  next(): Promise<ReadonlySet<string>>;
}

/**
 * What happens to the project's containers. Resolves once the engine listens for us. Where it cannot, there are no events:
 * whoever waits looks again from time to time anyhow.
 */
export async function listenToProject(options: {
  readonly engine: EngineClient;
  readonly project: string;
  readonly signal: AbortSignal;
}): Promise<ContainerEvents> {
  const stop = new AbortController();
  const abortSignal = AbortSignal.any([stop.signal, options.signal]);
  const filters = {type: ['container'], label: [`${composeLabels.project}=${options.project}`]};
  let changed = new Set<string>();
  let wake: (() => void) | undefined;
  const follow = async (events: AsyncIterable<EngineEvent>): Promise<void> => {
    for await (const event of events) {
      // Probes are processes too: their beginning and end is no news.
      if (event.Action.startsWith('exec_')) continue;
      changed.add(event.Actor.ID);
      wake?.();
    }
  };
  const events = await options.engine.getEvents({filters, abortSignal}).catch(() => undefined);
  const following = events === undefined ? Promise.resolve() : follow(events).catch(() => undefined);
  return {
    async next() {
      while (changed.size === 0) await new Promise<void>((resolve) => (wake = resolve));
      const batch = changed;
      changed = new Set();
      return batch;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}
