import type {Clock} from '../../base/clock.ts';
import type {WatchContent} from '../../report/watch-event.ts';
import type {Containers, WatchedContainer} from './containers.ts';

export type Outcome = Extract<WatchContent, {readonly kind: 'watchRestarted'}>['outcome'];

/** What becomes of containers that are about to be restarted. */
export interface Serving extends Disposable {
  /** Resolves when all are healthy, one is not, or nobody waits any more: then `starting`. */
  readonly outcome: Promise<Settled>;
  /** The restart is done: without a probe they run, unless one ends right away. */
  restarted(): void;
  /** Something newer is on its way. */
  supersede(): void;
}

export interface Settled {
  readonly outcome: Outcome;
  /** Since when it is so. */
  readonly at: number;
}

/** A container that is not healthy by then has a problem of its own. */
const longestWaitMs = 60_000;
/** A program that cannot begin has mostly ended by then; and whoever ended for the restart runs again. */
const endsEarlyMs = 200;

/** Looks at events from now on: called before the restart, so that none is missed. */
export function watchServing(containers: Containers, restarted: readonly WatchedContainer[], clock: Clock): Serving {
  const all = new Set(restarted.map(({id}) => id));
  const starting = new Set(restarted.filter(({probed}) => probed).map(({id}) => id));
  const probed = starting.size > 0;
  const started = new Set<string>();
  /** By container: when it ended. The restart ends it too, and news may be late, so it is looked at a little later. */
  const ended = new Map<string, number>();
  const over = new AbortController();
  let runsSince: number | undefined;
  let settle: (outcome: Outcome, at?: number) => void = () => {};
  const outcome = new Promise<Settled>((resolve) => {
    settle = (value, at = clock.now()) => {
      over.abort();
      resolve({outcome: value, at});
    };
  });
  const lookLater = async (): Promise<void> => {
    await clock.sleep(endsEarlyMs, over.signal);
    const [end] = ended.values();
    if (end !== undefined) settle('exited', end);
    else if (!probed) settle('running', runsSince);
  };
  const subscription = containers.subscribe((news) => {
    const {id} = news.container;
    if (!all.has(id)) return;
    if (news.kind === 'started') {
      started.add(id);
      ended.delete(id);
    } else if (news.kind === 'died' || news.kind === 'gone') {
      ended.set(id, clock.now());
      if (runsSince !== undefined) void lookLater();
    } else if (news.kind === 'health' && started.has(id)) {
      // What its run before still had to say does not count.
      if (news.status === 'unhealthy') settle('unhealthy');
      else starting.delete(id);
      if (starting.size === 0) settle('healthy');
    }
  });
  if (probed) void clock.sleep(longestWaitMs, over.signal).then(() => settle('starting'));
  return {
    outcome,
    restarted() {
      runsSince = clock.now();
      void lookLater();
    },
    supersede: () => settle('starting'),
    [Symbol.dispose]() {
      subscription[Symbol.dispose]();
      over.abort();
    },
  };
}
