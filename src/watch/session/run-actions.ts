import type {Clock} from '../../base/clock.ts';
import {toTscomposeError} from '../../base/errors.ts';
import {failureInfo} from '../../reconcile/failure.ts';
import type {Report} from '../../report/event.ts';
import {type CauseNotes, toCause} from './cause.ts';
import type {Containers, WatchedContainer} from './containers.ts';
import type {WatchEngine} from './engine.ts';
import {runHook} from './exec-hook.ts';
import type {Meter} from './meter.ts';
import type {Restarts} from './restarts.ts';
import {restarts, type ServiceRule} from './rules.ts';
import {type Serving, watchServing} from './serving.ts';

/** What is to be run after the files are in place. */
export interface RanActions {
  readonly cause: CauseNotes;
  readonly actions: readonly {readonly container: WatchedContainer; readonly rules: readonly ServiceRule[]}[];
  /** How long bringing the files took, where there were any. */
  readonly syncMs?: number;
}

/** Restarts and commands of one service. */
export interface RunActions {
  /** Resolves when all is done but the outcome of a restart, which is told later. Failures are told, never thrown. */
  run(actions: RanActions): Promise<void>;
  /** Nothing is waited for any more. */
  close(): void;
}

export interface RunActionsOptions {
  readonly service: string;
  readonly engine: WatchEngine;
  readonly containers: Containers;
  readonly restarts: Restarts;
  readonly meter: Meter;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** For the loop guards: these rules' actions are at work. */
  readonly onAction: (phase: 'begin' | 'end', rules: readonly ServiceRule[]) => void;
}

/** Whether a rule does more than bring files. */
export function wantsAction(rule: ServiceRule): boolean {
  return restarts(rule) || rule.rule.action === 'sync+exec';
}

export function createRunActions(options: RunActionsOptions): RunActions {
  const {service, engine, containers, meter, clock, report, signal, onAction} = options;
  let serving: Serving | undefined;

  const fail = (error: unknown, cause: CauseNotes): void => {
    if (signal.aborted) return;
    const failure = failureInfo({key: `watch ${service}`, error: toTscomposeError(error)});
    report({kind: 'watchFailed', service, cause: toCause(cause.paths), pending: 0, failure});
  };

  const restart = async (
    of: readonly WatchedContainer[],
    cause: CauseNotes,
    syncMs: number | undefined,
  ): Promise<void> => {
    serving?.supersede();
    const begin = clock.now();
    const watching = watchServing(containers, of, clock);
    serving = watching;
    try {
      await options.restarts.restart(
        service,
        of.map(({id}) => id),
      );
    } catch (error) {
      watching[Symbol.dispose]();
      fail(error, cause);
      return;
    }
    const restartMs = clock.now() - begin;
    watching.restarted();
    void watching.outcome.then(({outcome, at: now}) => {
      watching[Symbol.dispose]();
      const serves = (outcome === 'healthy' || outcome === 'running') && cause.savedAt !== undefined;
      const servingMs = serves && cause.savedAt !== undefined ? Math.max(0, now - cause.savedAt) : undefined;
      if (servingMs !== undefined) meter.serving(service, servingMs);
      const latest = servingMs === undefined ? undefined : meter.servingOf(service);
      report({
        kind: 'watchRestarted',
        service,
        cause: toCause(cause.paths),
        containers: of.map(({name}) => name),
        ...(syncMs === undefined ? {} : {syncMs}),
        restartMs,
        outcomeMs: now - begin,
        outcome,
        ...(servingMs === undefined ? {} : {servingMs}),
        ...(latest === undefined || latest.saves < 2 ? {} : {latest}),
      });
      if (servingMs !== undefined) report({kind: 'watchTimes', services: meter.times(), final: false});
    });
  };

  const execute = async (container: WatchedContainer, rule: ServiceRule, cause: CauseNotes): Promise<void> => {
    const hook = rule.rule.exec;
    if (hook === undefined) return;
    const begin = clock.now();
    try {
      const result = await runHook(engine, container.id, hook, signal);
      if (result === undefined) return;
      const end = clock.now();
      report({
        kind: 'watchExecuted',
        service,
        cause: toCause(cause.paths),
        container: container.name,
        command: hook.command,
        ...result,
        tookMs: end - begin,
        ...(cause.savedAt === undefined ? {} : {doneMs: Math.max(0, end - cause.savedAt)}),
      });
    } catch (error) {
      fail(error, cause);
    }
  };

  return {
    async run({cause, actions, syncMs}) {
      const rules = [...new Set(actions.flatMap((action) => action.rules))];
      onAction('begin', rules);
      try {
        const toRestart = actions.filter((action) => action.rules.some(restarts)).map(({container}) => container);
        if (toRestart.length > 0) await restart(toRestart, cause, syncMs);
        // Commands find what was restarted running with the new files.
        for (const rule of rules.filter(({rule: {action}}) => action === 'sync+exec')) {
          const of = actions.filter((action) => action.rules.includes(rule));
          await Promise.all(of.map(({container}) => execute(container, rule, cause)));
        }
      } finally {
        onAction('end', rules);
      }
    },
    close() {
      serving?.supersede();
    },
  };
}
