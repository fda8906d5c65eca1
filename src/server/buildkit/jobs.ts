import {randomUUID} from 'node:crypto';
import type {StatusUpdate} from './build-status.ts';
import type {Message} from './messages.ts';

/** What is told of what was built, by BuildKit's keys. */
export type Response = Readonly<Record<string, string>>;

/** What came of one thing that a client asked to be built. */
export interface Built {
  readonly response: Response;
  /** Its image, for what is built upon it; made now where none was asked for. */
  readonly image: () => Promise<string>;
}

/** One build of a client, from when it is first spoken of. */
export interface Job {
  readonly ref: string;
  /** What the client asked to be done with what is built; it comes before anything is built. */
  readonly asked: Promise<Message<'SolveRequest'>>;
  ask(request: Message<'SolveRequest'>): void;
  isAsked(): boolean;
  /** What became of it. */
  readonly done: Promise<Response>;
  finish(response: Response): void;
  fail(error: unknown): void;
  /** Keeps what was built until the client says by this name that it is what it wants; its other builds may begin with it. */
  keep(built: Built): string;
  kept(id: string): Built | undefined;
  tell(update: StatusUpdate): void;
  isFollowed(): boolean;
  /** All that was told and will be. */
  updates(signal: AbortSignal): AsyncGenerator<StatusUpdate, void, undefined>;
  /** Aborted when nobody wants it any more. */
  readonly stopped: AbortSignal;
}

export interface Jobs {
  /** Begun by whichever call comes first: what asks for a build and what follows it come at the same time. */
  get(ref: string): Job;
  /** Lets go of one that nobody ever asked for, or that is over: whoever followed it knows. */
  forget(ref: string): void;
  /** Of one that is over; where nobody has followed it yet, whoever is about to is still told. */
  remove(ref: string): void;
  /** What any of the builds under way has kept under this name. */
  kept(id: string): Built | undefined;
}

/** What follows a build is another call than what asks for it, and may come when it is over. */
const lateMs = 10_000;

export function createJobs(): Jobs {
  const jobs = new Map<string, Job>();
  return {
    get(ref) {
      const known = jobs.get(ref);
      if (known !== undefined) return known;
      const job = createJob(ref);
      jobs.set(ref, job);
      return job;
    },
    forget(ref) {
      const job = jobs.get(ref);
      if (job?.isAsked() === false || job?.stopped.aborted === true) jobs.delete(ref);
    },
    remove(ref) {
      const job = jobs.get(ref);
      if (job?.isFollowed() !== false) {
        jobs.delete(ref);
        return;
      }
      const letGo = () => {
        if (jobs.get(ref) === job) jobs.delete(ref);
      };
      setTimeout(letGo, lateMs).unref();
    },
    kept(id) {
      for (const job of jobs.values()) {
        const found = job.kept(id);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

function createJob(ref: string): Job {
  const told: StatusUpdate[] = [];
  let wake: (() => void)[] = [];
  const results = new Map<string, Built>();
  let known = false;
  let over = false;
  let followed = false;
  const stop = new AbortController();
  const asked = deferred<Message<'SolveRequest'>>();
  const done = deferred<Response>();
  const changed = () => {
    for (const resolve of wake) resolve();
    wake = [];
  };
  const end = () => {
    over = true;
    results.clear();
    stop.abort();
    changed();
  };
  return {
    ref,
    asked: asked.promise,
    ask(request) {
      known = true;
      asked.resolve(request);
    },
    isAsked: () => known,
    done: done.promise,
    finish(response) {
      done.resolve(response);
      end();
    },
    fail(error) {
      asked.reject(error);
      done.reject(error);
      end();
    },
    keep(built) {
      const id = randomUUID();
      results.set(id, built);
      return id;
    },
    kept: (id) => results.get(id),
    tell(update) {
      told.push(update);
      changed();
    },
    isFollowed: () => followed,
    async *updates(signal) {
      followed = true;
      signal.addEventListener('abort', changed, {once: true});
      for (let next = 0; ; ) {
        for (; next < told.length; next++) yield told[next] ?? {};
        if (over || signal.aborted) return;
        await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
    stopped: stop.signal,
  };
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return {promise, resolve, reject};
}
