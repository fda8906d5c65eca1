import {backoffDelays} from '../../base/backoff.ts';
import type {Clock} from '../../base/clock.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {hasKind, toTscomposeError} from '../../base/errors.ts';
import {failureInfo} from '../../reconcile/failure.ts';
import type {Report} from '../../report/event.ts';
import {addNotes, type CauseNotes, emptyNotes, toCause} from './cause.ts';
import {type ContainerSync, FileGone, type SyncOutcome} from './container-sync.ts';
import type {Containers, WatchedContainer} from './containers.ts';
import {createDebts, type Debt} from './debts.ts';
import {createFilling} from './filling.ts';
import type {Meter} from './meter.ts';
import {restarts, type ServiceRule} from './rules.ts';
import {type RanActions, type RunActions, wantsAction} from './run-actions.ts';
import {createWaitingCommands} from './waiting-commands.ts';

/** Changes that concern a service. */
export interface ServiceChanges {
  /** To be synced: absolute paths in the container. */
  readonly paths: readonly string[];
  /** Rules that act though they sync nothing. */
  readonly rules: readonly ServiceRule[];
  /** As they are shown. */
  readonly shown: readonly string[];
  readonly savedAt: number | undefined;
}

/** Does what changed files call for, for one service: one thing after another, what comes meanwhile together after it. */
export interface ServiceWorker {
  changed(changes: ServiceChanges): void;
  /** A container is there: it gets what it misses. */
  came(container: WatchedContainer): void;
  /** Resolves when the container that is to be started has its files, or they could not be brought. */
  filled(container: string): Promise<void>;
  /** It runs: commands that waited for that are run. */
  started(container: WatchedContainer): void;
  died(container: WatchedContainer): void;
  gone(container: WatchedContainer): void;
  /** Resolves when nothing is to be done, or only what waits for another attempt. */
  idle(): Promise<void>;
  /** Ends with the session's signal; the latest restart's outcome is told then. */
  close(): void;
}

export interface WorkerOptions {
  readonly service: string;
  readonly containers: Containers;
  readonly syncOf: (container: WatchedContainer) => ContainerSync;
  readonly actions: RunActions;
  /** Whether the loop guard holds the rule's action back. */
  readonly isHeld: (rule: ServiceRule) => boolean;
  readonly meter: Meter;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
}

const containersAtOnce = 16;
const retries = {firstMs: 200, maxMs: 10_000};

export function createServiceWorker(options: WorkerOptions): ServiceWorker {
  const {service, containers, clock, report, signal} = options;
  const debts = createDebts();
  let notes = emptyNotes();
  let running: Promise<void> | undefined;
  let delays = backoffDelays(retries);
  let told = '';
  let wasGone = false;
  let retry = new AbortController();
  const waiting = createWaitingCommands();
  const filling = createFilling(signal);
  /** Somebody started them before they had their files, and they ended: for want of them, perhaps. */
  const endedEarly = new Set<string>();

  const kick = (): void => {
    retry.abort();
    if (running === undefined && !signal.aborted) running = loop();
  };
  const loop = async (): Promise<void> => {
    while (!debts.isEmpty() && !signal.aborted) {
      const [work, cause] = [debts.take(), notes];
      notes = emptyNotes();
      const failure = await pass(work, cause);
      if (failure === undefined) {
        delays = backoffDelays(retries);
        told = '';
        wasGone = false;
      } else {
        await waitForRetry(failure);
      }
    }
    // In the same step as the last look at the debts: what comes after it begins a new loop.
    running = undefined;
  };
  const waitForRetry = async ({error, cause}: Failed): Promise<void> => {
    const retryMs = delays.next().value ?? retries.maxMs;
    const failure = failureInfo({key: `sync ${service}`, error: toTscomposeError(error)});
    // The same failure again is no news; nor is a file that went, as long as the look at what came of it is on its way.
    const passes = error instanceof FileGone && !wasGone;
    wasGone = error instanceof FileGone;
    if (!passes && failure.message !== told)
      report({kind: 'watchFailed', service, cause: toCause(cause.paths), pending: debts.paths(), retryMs, failure});
    if (!passes) told = failure.message;
    retry = new AbortController();
    await clock.sleep(retryMs, AbortSignal.any([retry.signal, signal]));
  };

  /** One round over all containers. What failed is owed again. */
  const pass = async (work: ReadonlyMap<string, Debt>, cause: CauseNotes): Promise<Failed | undefined> => {
    const begin = clock.now();
    const owed = containers.of(service).flatMap((container) => {
      const debt = work.get(container.id);
      return debt === undefined ? [] : [{container, debt}];
    });
    const results = await mapLimited(owed, containersAtOnce, (creditor) => syncOne(options, creditor));
    const end = clock.now();
    const synced = results.flatMap((result) => ('outcome' in result ? [result] : []));
    const actions = synced
      .map((result) => ({container: result.container, rules: rulesNow(result, cause)}))
      .filter(({rules}) => rules.length > 0);
    tellSynced(options, synced, {cause, begin, end, leadsOn: actions.length > 0});
    if (actions.length > 0) {
      const ran: RanActions = {cause, actions, ...(synced.some(wrote) ? {syncMs: end - begin} : {})};
      await options.actions.run(ran);
    }
    const failed = results.flatMap((result) => ('error' in result ? [result] : []));
    for (const {container, debt} of failed) debts.owe(container.id, debt);
    for (const id of work.keys()) filling.end(id);
    const [first] = failed;
    if (first === undefined) return undefined;
    addNotes(notes, cause);
    return {error: first.error, cause};
  };

  const rulesToRun = ({outcome, debt}: Synced): readonly ServiceRule[] =>
    [...new Set([...outcome.changed, ...debt.rules])].filter((rule) => wantsAction(rule) && !options.isHeld(rule));

  /** What a container that does not run is left: a save restarts it, and commands wait until it runs. */
  const rulesNow = (result: Synced, cause: CauseNotes): readonly ServiceRule[] => {
    const rules = rulesToRun(result);
    const {container, debt} = result;
    // As it is now: it may have been started while files were brought.
    if (containers.of(service).some(({id, running}) => id === container.id && running)) return rules;
    if ((endedEarly.delete(container.id) || debt.saved) && rules.some(restarts)) return rules;
    const commands = rules.filter((rule) => !restarts(rule));
    if (commands.length > 0) waiting.add(container.id, commands, cause);
    return [];
  };

  return {
    changed(changes) {
      const all = containers.of(service);
      if (all.length === 0) return;
      for (const {id} of all) debts.owe(id, {paths: changes.paths, rules: changes.rules, saved: true});
      addNotes(notes, {paths: changes.shown, savedAt: changes.savedAt});
      kick();
    },
    came(container) {
      filling.begin(container.id);
      debts.owe(container.id, {whole: true});
      kick();
    },
    filled: (container) => filling.ended(container),
    died({id}) {
      if (filling.has(id)) endedEarly.add(id);
    },
    started(container) {
      const entry = waiting.take(container.id);
      if (entry === undefined) return;
      debts.owe(container.id, {rules: entry.rules});
      addNotes(notes, entry.cause);
      kick();
    },
    gone(container) {
      debts.forgive(container.id);
      filling.end(container.id);
      endedEarly.delete(container.id);
      waiting.take(container.id);
    },
    async idle() {
      while (running !== undefined) await running;
    },
    close() {
      options.actions.close();
    },
  };
}

interface Failed {
  readonly error: unknown;
  readonly cause: CauseNotes;
}

interface Creditor {
  readonly container: WatchedContainer;
  readonly debt: Debt;
}

interface Synced extends Creditor {
  readonly outcome: SyncOutcome;
}

type Result = Synced | (Creditor & {readonly error: unknown});

const nothing: SyncOutcome = {written: 0, deleted: 0, changed: new Set()};

async function syncOne(
  {syncOf, signal}: Pick<WorkerOptions, 'syncOf' | 'signal'>,
  {container, debt}: Creditor,
): Promise<Result> {
  try {
    const sync = syncOf(container);
    const paths = debt.whole ? new Set([...(await sync.everything()), ...debt.paths]) : debt.paths;
    // What is owed is known in full from here on.
    for (const path of paths) debt.paths.add(path);
    debt.whole = false;
    return {container, debt, outcome: await sync.apply(paths, signal)};
  } catch (error) {
    // Removed meanwhile: whoever comes in its place is told of.
    if (hasKind(error, 'notFound') || signal.aborted) return {container, debt, outcome: nothing};
    return {container, debt, error};
  }
}

interface Round {
  readonly cause: CauseNotes;
  readonly begin: number;
  readonly end: number;
  /** Actions follow. */
  readonly leadsOn: boolean;
}

function tellSynced(
  {service, meter, report}: Pick<WorkerOptions, 'service' | 'meter' | 'report'>,
  synced: readonly Synced[],
  {cause, begin, end, leadsOn}: Round,
): void {
  const written = synced.filter(wrote);
  if (written.length === 0) return;
  const isRunning = written.some(({container}) => container.running);
  const visibleMs = isRunning && cause.savedAt !== undefined ? Math.max(0, end - cause.savedAt) : undefined;
  if (visibleMs !== undefined) meter.visible(service, visibleMs);
  report({
    kind: 'watchSynced',
    service,
    cause: toCause(cause.paths),
    containers: written.map(({container}) => container.name),
    // The same files went to each.
    written: Math.max(...written.map(({outcome}) => outcome.written)),
    deleted: Math.max(...written.map(({outcome}) => outcome.deleted)),
    tookMs: end - begin,
    ...(visibleMs === undefined ? {} : {visibleMs}),
    ...(leadsOn ? {leadsOn} : {}),
  });
}

function wrote({outcome}: Synced): boolean {
  return outcome.written + outcome.deleted > 0;
}
