import type {Project} from '../../model/types.ts';
import type {ConvergeContext} from '../../reconcile/converge.ts';
import type {Batch} from '../files/types.ts';
import {toCause} from './cause.ts';
import {type ContainerSync, isBound} from './container-sync.ts';
import type {Containers, WatchedContainer} from './containers.ts';
import type {WatchEngine} from './engine.ts';
import {createLoopGuard, type LoopGuard} from './loop-guard.ts';
import type {Meter} from './meter.ts';
import type {Rebuilds} from './rebuilds.ts';
import type {Restarts} from './restarts.ts';
import {type FileSide, openRuleSet, type RuleChanges} from './rule-set.ts';
import {placeOf, rebuilds, restarts, type ServiceRule, shownPath, syncs} from './rules.ts';
import {createRunActions, wantsAction} from './run-actions.ts';
import {containerPath, type ServiceFiles} from './service-files.ts';
import {createServiceWorker, type ServiceWorker} from './worker.ts';

/** What outlives a change of the rules. */
export interface SessionParts {
  readonly engine: WatchEngine;
  readonly files: FileSide;
  readonly containers: Containers;
  readonly restarts: Restarts;
  readonly rebuilds: Rebuilds;
  readonly meter: Meter;
  readonly converge: ConvergeContext;
  readonly project: () => Project;
  syncOf(container: WatchedContainer, files: () => ServiceFiles): ContainerSync;
  /** A warning that is told once. */
  warn(message: string, hint?: string): void;
}

/** The rules that count, with everything that lives as long as they do. */
export interface Generation {
  readonly rules: readonly ServiceRule[];
  /** Resolves when the container has what it is to have before it is started. */
  filled(container: WatchedContainer): Promise<void>;
  /** Ends what goes on at its next step; what is still owed is for the next generation, which looks at everything. */
  close(): Promise<void>;
}

/** Resolves when saves are noticed; the containers that are there are looked at as a whole from then on. */
export async function openGeneration(rules: readonly ServiceRule[], parts: SessionParts): Promise<Generation> {
  const {containers, converge} = parts;
  const {clock, report} = converge;
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, converge.signal]);
  const begin = clock.now();
  const guards = new Map(
    rules.filter((rule) => wantsAction(rule) || rebuilds(rule)).map((rule) => [rule, createLoopGuard()] as const),
  );
  const workers = new Map<string, ServiceWorker>();
  const set = await openRuleSet({
    rules,
    files: parts.files,
    clock,
    onChanges: (changes, batch) => passOn({changes, batch, guards, workers, parts}),
    onNotice: ({error}) => parts.warn(error.message, error.hint),
  });
  for (const service of new Set(rules.map((rule) => rule.service))) {
    const files = set.filesOf(service);
    const actions = createRunActions({
      ...parts,
      service,
      clock,
      report,
      signal,
      onAction: (phase, of) => tellGuards(guards, {phase, rules: of, now: clock.now()}),
    });
    const worker = createServiceWorker({
      service,
      containers,
      syncOf: (container) => parts.syncOf(container, () => files),
      actions,
      isHeld: (rule) => guards.get(rule)?.isSuspended() === true,
      meter: parts.meter,
      clock,
      report,
      signal,
    });
    workers.set(service, worker);
  }
  const {files, directories, backend} = set.facts();
  report({kind: 'watchReady', services: countRules(rules), files, directories, backend, tookMs: clock.now() - begin});
  const subscription = containers.subscribe(({kind, container}) => {
    const worker = workers.get(container.service);
    if (kind === 'gone') worker?.gone(container);
    if (kind === 'started') worker?.started(container);
    if (kind === 'died') worker?.died(container);
    if (kind !== 'came' || worker === undefined) return;
    noteBinds(container, rules, parts);
    if (rules.some((rule) => rule.service === container.service && syncs(rule))) worker.came(container);
  });
  return {
    rules,
    filled: async ({id, service}) => workers.get(service)?.filled(id),
    async close() {
      subscription[Symbol.dispose]();
      closing.abort();
      for (const worker of workers.values()) worker.close();
      await Promise.all([...workers.values()].map((worker) => worker.idle()));
      await set[Symbol.asyncDispose]();
    },
  };
}

function countRules(rules: readonly ServiceRule[]): {readonly service: string; readonly rules: number}[] {
  return [...new Set(rules.map(({service}) => service))].map((service) => ({
    service,
    rules: rules.filter((rule) => rule.service === service).length,
  }));
}

/** A path that the container has from this machine anyhow needs no sync; the rest of the rule counts. */
function noteBinds(
  {service, binds}: WatchedContainer,
  rules: readonly ServiceRule[],
  {warn, project}: Pick<SessionParts, 'warn' | 'project'>,
): void {
  for (const rule of rules) {
    if (rule.service !== service || !syncs(rule) || !isBound(binds, rule.target ?? '/')) continue;
    warn(
      `${placeOf(project(), rule)}: nothing is synced to "${rule.target}" of service "${service}": a bind mount has it there already`,
    );
  }
}

interface Passing {
  readonly changes: readonly RuleChanges[];
  readonly batch: Batch;
  readonly guards: ReadonlyMap<ServiceRule, LoopGuard>;
  readonly workers: ReadonlyMap<string, ServiceWorker>;
  readonly parts: SessionParts;
}

/** Hands each service what a batch means for it. */
function passOn({changes, batch, guards, workers, parts}: Passing): void {
  const {report} = parts.converge;
  const {workingDir} = parts.project();
  const savedAt = batch.firstEventAt;
  const show = (of: readonly RuleChanges[]): Set<string> =>
    new Set(of.flatMap(({sources}) => sources.map((source) => shownPath(source, workingDir))));
  const services = [...new Set(changes.map(({rule}) => rule.service))];
  const all = show(changes);
  const storm = batch.kind === 'everything';
  report({kind: 'watchBatch', services, cause: toCause(all), changes: all.size, storm});
  for (const service of services) {
    const own = changes.filter(({rule}) => rule.service === service);
    const held = new Set(own.filter((change) => !judge(change, {guards, savedAt, parts, workingDir})));
    const toSync = own.filter(({rule}) => syncs(rule));
    const toBuild = own.filter((change) => rebuilds(change.rule) && !held.has(change));
    if (toBuild.length > 0) {
      const of = toBuild.map(({rule}) => rule);
      parts.rebuilds.request({
        service,
        cause: {paths: show(toBuild), savedAt},
        onReplace: (phase) => tellGuards(guards, {phase, rules: of, now: parts.converge.clock.now()}),
      });
    }
    const acting = own.filter((change) => restarts(change.rule) && !syncs(change.rule) && !held.has(change));
    if (toSync.length + acting.length === 0) continue;
    workers.get(service)?.changed({
      paths: toSync.flatMap(({rule, paths}) => paths.map((path) => containerPath(rule.target ?? '/', path))),
      rules: acting.map(({rule}) => rule),
      shown: [...show([...toSync, ...acting])],
      savedAt,
    });
  }
}

/** The rules' actions are at work, or have been. */
function tellGuards(
  guards: ReadonlyMap<ServiceRule, LoopGuard>,
  {phase, rules, now}: {readonly phase: 'begin' | 'end'; readonly rules: readonly ServiceRule[]; readonly now: number},
): void {
  for (const rule of rules) {
    const guard = guards.get(rule);
    if (phase === 'begin') guard?.actionBegins(now);
    else guard?.actionEnds(now);
  }
}

interface Judging {
  readonly guards: ReadonlyMap<ServiceRule, LoopGuard>;
  readonly savedAt: number;
  readonly parts: SessionParts;
  readonly workingDir: string;
}

/** Asks the loop guard of the rule, and tells what it decides; false: its action is not to be run. */
function judge({rule, paths, sources}: RuleChanges, {guards, savedAt, parts, workingDir}: Judging): boolean {
  const verdict = guards.get(rule)?.judge({paths, firstEventAt: savedAt});
  if (verdict === undefined || verdict.kind === 'go') return true;
  const {report} = parts.converge;
  const {service} = rule;
  const place = placeOf(parts.project(), rule);
  if (verdict.kind === 'held') return false;
  if (verdict.kind === 'resumed') {
    const cause = toCause(sources.map((source) => shownPath(source, workingDir)));
    report({kind: 'watchResumed', service, rule: place, cause});
    return true;
  }
  report({
    kind: 'watchSuspended',
    service,
    action: rule.rule.action,
    rule: place,
    paths: verdict.paths.map((path) => shownPath(`${rule.rule.path}/${path}`, workingDir)),
    times: verdict.times,
    withinMs: verdict.withinMs,
    hint: 'add what the service writes to "ignore" of the rule; a save of another file resumes it',
  });
  return false;
}
