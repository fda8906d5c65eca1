import {TscomposeError} from '../../base/errors.ts';
import type {FileSource} from '../../base/file-source.ts';
import type {Project} from '../../model/types.ts';
import type {ConvergeContext} from '../../reconcile/converge.ts';
import type {LoweringOptions} from '../../reconcile/lowering.ts';
import {withBuildIgnores} from './build-ignore.ts';
import {type ContainerSync, createContainerSync} from './container-sync.ts';
import {type Containers, followContainers} from './containers.ts';
import type {FileSync, WatchEngine} from './engine.ts';
import {whenKnown} from './filling.ts';
import {followStack} from './follow-stack.ts';
import {type Generation, openGeneration, type SessionParts} from './generation.ts';
import {createMeter} from './meter.ts';
import {createRebuilds} from './rebuilds.ts';
import {createRestarts} from './restarts.ts';
import type {FileSide} from './rule-set.ts';
import {type ServiceRule, sameRules, syncs, watchRules} from './rules.ts';
import type {ServiceFiles} from './service-files.ts';
import type {StackSource} from './stack-change.ts';
import {whenTakenDown} from './taken-down.ts';

export interface WatchOptions {
  readonly engine: WatchEngine;
  readonly sync: FileSync;
  readonly files: FileSide;
  /** For small files that rules depend on; where the stack file is followed, what is read by it is followed too. */
  readonly source: FileSource;
  readonly project: Project;
  /** Empty: all that have rules. */
  readonly services: readonly string[];
  /** Where events go, and the signal that ends it. */
  readonly converge: ConvergeContext;
  /** How containers are made anew after a build, and how its problems are printed. */
  readonly rebuild: {readonly lowering: LoweringOptions; readonly prune: boolean; readonly color: boolean};
  /** Absent: the stack file is not watched. */
  readonly stack?: StackSource;
}

export type WatchEnd = 'interrupted' | 'down';

export interface WatchSession {
  /** Resolves when saves are noticed. */
  readonly ready: Promise<void>;
  /** By the signal, or because another command took the stack down. Rejects when the engine or the watcher is lost. */
  readonly ended: Promise<WatchEnd>;
  /** For whoever starts containers meanwhile: resolves when this one has the files that it misses. */
  readonly beforeStart: (container: string) => Promise<void>;
}

/**
 * Brings saved files into the containers of a stack and does what its rules say. It works from the moment that it is
 * called: what `up` creates meanwhile gets its files as soon as it is there. Throws what `watchRules` throws.
 */
export async function startWatch(options: WatchOptions): Promise<WatchSession> {
  const {engine, converge} = options;
  const rules = await withBuildIgnores(watchRules(options.project, options), options.project, options.source);
  const over = new AbortController();
  const signal = AbortSignal.any([converge.signal, over.signal]);
  const containers = await followContainers({engine, project: options.project.name, signal});
  const touched = await touchedBefore(rules, containers, options.sync);
  const state: State = {project: options.project, generation: undefined};
  const beforeStart = async (id: string): Promise<void> => {
    await Promise.race([opened, ended]).catch(() => {});
    const container = await whenKnown(containers, {id, clock: converge.clock, signal});
    if (container !== undefined) await state.generation?.filled(container);
  };
  const parts = createParts({...options, converge: {...converge, signal, beforeStart}}, {state, containers, touched});
  const ready = open(options, {rules, state, parts});
  const run = async (): Promise<WatchEnd> => {
    try {
      return await Promise.race([
        ready.then(() => new Promise<never>(() => {})),
        whenTakenDown({...parts, project: state.project.name, clock: converge.clock, signal}).then(
          () => 'down' as const,
        ),
        containers.ended.then(() => endOfEvents(converge.signal)),
      ]);
    } finally {
      over.abort();
      await (await ready.catch(() => undefined))?.[Symbol.asyncDispose]();
      await parts.rebuilds.close();
      const services = parts.meter.times();
      if (services.length > 0) converge.report({kind: 'watchTimes', services, final: true});
    }
  };
  const ended = run().then((reason) => {
    converge.report({kind: 'watchEnded', reason});
    return reason;
  });
  const opened = ready.then(() => undefined);
  // Whoever looks at one of the two only is told of a failure once.
  for (const promise of [opened, ended]) promise.catch(() => {});
  return {ready: opened, ended, beforeStart};
}

/** What changes when the stack file does. */
interface State {
  project: Project;
  generation: Generation | undefined;
}

interface Opening {
  readonly rules: readonly ServiceRule[];
  readonly state: State;
  readonly parts: SessionParts;
}

/** Watches the rules' files and the stack's own. */
async function open(
  {stack, files, source, services}: WatchOptions,
  {rules, state, parts}: Opening,
): Promise<AsyncDisposable> {
  state.generation = await openGeneration(rules, parts);
  const replace = async (project: Project): Promise<void> => {
    const now = await withBuildIgnores(watchRules(project, {services, mayBeEmpty: true}), project, source);
    state.project = project;
    if (sameRules(state.generation?.rules ?? [], now)) return;
    await state.generation?.close();
    if (now.length === 0) parts.warn('no service of the stack has a watch rule any more');
    state.generation = await openGeneration(now, parts);
  };
  const following =
    stack === undefined
      ? undefined
      : await followStack({
          stack: withCheckedRules(stack, services),
          files,
          converge: parts.converge,
          current: () => state.project,
          onApplied: replace,
        });
  return {
    async [Symbol.asyncDispose]() {
      await following?.[Symbol.asyncDispose]();
      await state.generation?.close();
    },
  };
}

/** A stack whose rules cannot be followed is as wrong as one that cannot be read: the old one goes on. */
function withCheckedRules(stack: StackSource, services: readonly string[]): StackSource {
  return {
    ...stack,
    async load() {
      const project = await stack.load();
      watchRules(project, {services, mayBeEmpty: true});
      return project;
    },
  };
}

interface Inner {
  readonly state: State;
  readonly containers: Containers;
  readonly touched: Map<string, Set<string>>;
}

interface SyncEntry {
  /** Of the present rules. */
  files: () => ServiceFiles;
  readonly sync: ContainerSync;
}

function createParts(
  {engine, sync, files, converge, rebuild}: WatchOptions,
  {state, containers, touched}: Inner,
): SessionParts {
  // Commands that are run on the way are no commands of their own to whoever looks on.
  const report: ConvergeContext['report'] = (event) => {
    if (event.kind !== 'summary') converge.report(event);
  };
  const inner = {...converge, report};
  const project = () => state.project;
  const meter = createMeter();
  const syncs = new Map<string, SyncEntry>();
  const warned = new Set<string>();
  containers.subscribe(({kind, container}) => {
    if (kind === 'gone') syncs.delete(container.id);
  });
  return {
    engine,
    files,
    containers,
    restarts: createRestarts({engine, project, converge: inner}),
    rebuilds: createRebuilds({engine, containers, project, converge: inner, meter, ...rebuild}),
    meter,
    converge: inner,
    project,
    syncOf(container, of) {
      const known = syncs.get(container.id);
      if (known !== undefined) {
        known.files = of;
        return known.sync;
      }
      const paths = touched.get(container.service) ?? new Set();
      touched.set(container.service, paths);
      const made: SyncEntry = {
        files: of,
        sync: createContainerSync({container, sync, files: () => made.files(), touched: paths}),
      };
      syncs.set(container.id, made);
      return made.sync;
    },
    warn(message, hint) {
      if (warned.has(message)) return;
      warned.add(message);
      report({kind: 'notice', notice: {level: 'warning', message, ...(hint === undefined ? {} : {hint})}});
    },
  };
}

/** By service: what earlier watching brought into the containers that are there; their successors get it too. */
async function touchedBefore(
  rules: readonly ServiceRule[],
  containers: Containers,
  sync: FileSync,
): Promise<Map<string, Set<string>>> {
  const services = new Set(rules.filter(syncs).map(({service}) => service));
  const entries = await Promise.all(
    [...services].map(async (service) => {
      const manifests = await Promise.all(
        containers.of(service).map(({id}) => sync.synced(id).catch(() => ({files: {}}))),
      );
      return [service, new Set(manifests.flatMap((manifest) => Object.keys(manifest.files)))] as const;
    }),
  );
  return new Map(entries);
}

function endOfEvents(signal: AbortSignal): WatchEnd {
  if (signal.aborted) return 'interrupted';
  throw new TscomposeError('unavailable', 'the engine has ended the connection that events come by', {
    hint: 'start watching again once the engine answers',
  });
}
