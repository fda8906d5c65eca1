import type {Clock} from '../../base/clock.ts';
import type {WatchContent} from '../../report/watch-event.ts';
import type {Containers, WatchedContainer} from './containers.ts';

export type Outcome = Extract<WatchContent, {readonly kind: 'watchRestarted'}>['outcome'];

/** What becomes of containers that are about to be restarted. */
export interface Serving extends Disposable {
  /** Resolves when all are healthy, one is not, or nobody waits any more: then `starting`. */
  readonly outcome: Promise<Outcome>;
  /** The restart is done: without a probe they run, unless one ends right away. */
  restarted(): void;
  /** Something newer is on its way. */
  supersede(): void;
}

/** A container that is not healthy by then has a problem of its own. */
const longestWaitMs = 60_000;
/** A program that cannot begin has mostly ended by then. */
const endsEarlyMs = 200;

/** Looks at events from now on: called before the restart, so that none is missed. */
export function watchServing(containers: Containers, restarted: readonly WatchedContainer[], clock: Clock): Serving {
  const all = new Set(restarted.map(({id}) => id));
  const starting = new Set(restarted.filter(({probed}) => probed).map(({id}) => id));
  const probed = starting.size > 0;
  const started = new Set<string>();
  const over = new AbortController();
  let settle: (outcome: Outcome) => void = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    settle = (value) => {
      over.abort();
      resolve(value);
    };
  });
  const subscription = containers.subscribe((news) => {
    const {id} = news.container;
    if (!all.has(id)) return;
    if (news.kind === 'started') started.add(id);
    // What its run before still had to say does not count.
    else if (!started.has(id)) return;
    else if (news.kind === 'died' || news.kind === 'gone') settle('exited');
    else if (news.kind === 'health') {
      if (news.status === 'unhealthy') settle('unhealthy');
      else starting.delete(id);
      if (starting.size === 0) settle('healthy');
    }
  });
  if (probed) void clock.sleep(longestWaitMs, over.signal).then(() => settle('starting'));
  return {
    outcome,
    restarted() {
      if (!probed) void clock.sleep(endsEarlyMs, over.signal).then(() => settle('running'));
    },
    supersede: () => settle('starting'),
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
      over.abort();
    },
  };
}
