import type {Clock} from '../../base/clock.ts';
import type {Containers, WatchedContainer} from './containers.ts';

/** Containers that are new to watching and have not got their files yet. */
export interface Filling {
  begin(container: string): void;
  /** It has its files, could not get them, or is gone. */
  end(container: string): void;
  /** Whether it has not got them yet. */
  has(container: string): boolean;
  /** Resolves at the end of what has begun; at once where nothing has. */
  ended(container: string): Promise<void>;
}

/** With the signal all is over: nobody waits for what is not done any more. */
export function createFilling(signal: AbortSignal): Filling {
  const open = new Map<string, {readonly promise: Promise<void>; readonly resolve: () => void}>();
  signal.addEventListener('abort', () => {
    for (const {resolve} of open.values()) resolve();
  });
  return {
    begin(container) {
      if (open.has(container) || signal.aborted) return;
      let resolve: () => void = () => {};
      const promise = new Promise<void>((settle) => {
        resolve = settle;
      });
      open.set(container, {promise, resolve});
    },
    end(container) {
      open.get(container)?.resolve();
      open.delete(container);
    },
    has: (container) => open.has(container),
    ended: async (container) => open.get(container)?.promise,
  };
}

/** The news of a container is a moment younger than the container. */
const newsMs = 1_000;

/** The container once there is news of it; undefined: there is none in time, so it is not watched. */
export async function whenKnown(
  containers: Containers,
  {id, clock, signal}: {readonly id: string; readonly clock: Clock; readonly signal: AbortSignal},
): Promise<WatchedContainer | undefined> {
  const over = new AbortController();
  let found: WatchedContainer | undefined;
  using _subscription = containers.subscribe(({container}) => {
    if (container.id !== id) return;
    found = container;
    over.abort();
  });
  if (found === undefined) await clock.sleep(newsMs, AbortSignal.any([over.signal, signal]));
  return found;
}
