import {mapLimited} from '../../base/concurrency.ts';
import {toTscomposeError} from '../../base/errors.ts';
import {imageOf} from '../../model/image.ts';
import type {Project} from '../../model/types.ts';
import type {ContainerId} from '../../plan/action.ts';
import {buildImages} from '../../reconcile/build-images.ts';
import {up} from '../../reconcile/commands.ts';
import type {ConvergeContext} from '../../reconcile/converge.ts';
import {failureInfo} from '../../reconcile/failure.ts';
import {type LoweringOptions, lowerProject} from '../../reconcile/lowering.ts';
import {addNotes, type CauseNotes, emptyNotes, toCause} from './cause.ts';
import type {Containers, WatchedContainer} from './containers.ts';
import type {WatchEngine} from './engine.ts';
import type {Meter} from './meter.ts';
import {problemLines} from './problem-lines.ts';
import {rebuildProject} from './rebuild-project.ts';
import {idsOf, removeReplaced} from './replaced-images.ts';
import {createReplacements} from './replacements.ts';

/** What a save of a file that an image is made from calls for. */
export interface RebuildRequest {
  readonly service: string;
  readonly cause: CauseNotes;
  /** For the loop guards: new containers are started. Not while images are built: people save meanwhile. */
  readonly onReplace: (phase: 'begin' | 'end') => void;
}

/** Builds images anew and replaces the containers that were made from them. */
export interface Rebuilds {
  /** Failures are told, never thrown. What is asked for while a build goes on is one more build after it. */
  request(request: RebuildRequest): void;
  /** Resolves when nothing goes on any more, which the session's signal brings about. */
  close(): Promise<void>;
}

export interface RebuildsOptions {
  readonly engine: WatchEngine;
  readonly containers: Containers;
  readonly project: () => Project;
  readonly converge: ConvergeContext;
  readonly lowering: LoweringOptions;
  readonly meter: Meter;
  /** Images that lose their names to new ones are removed. */
  readonly prune: boolean;
  /** Of places in files. */
  readonly color: boolean;
}

/** What is to be done for one service. */
interface Job {
  readonly service: string;
  readonly cause: CauseNotes;
  readonly onReplace: Set<RebuildRequest['onReplace']>;
}

interface Built extends Job {
  readonly buildMs: number;
}

/** Services whose images are built at a time. */
const atOnce = 3;

export function createRebuilds(options: RebuildsOptions): Rebuilds {
  const {signal} = options.converge;
  let waiting = new Map<string, Job>();
  let running: Promise<void> | undefined;
  const replacements = createReplacements(options);
  const loop = async (): Promise<void> => {
    while (waiting.size > 0 && !signal.aborted) {
      const jobs = [...waiting.values()];
      waiting = new Map();
      await rebuild(jobs);
    }
    // In the same step as the last look at what waits: what comes after it begins a new loop.
    running = undefined;
  };
  const rebuild = async (jobs: readonly Job[]): Promise<void> => {
    const project = options.project();
    // Those whose failure has not been told.
    let open = jobs;
    try {
      const images = jobs.flatMap(({service}) => imageOf(project, service) ?? []);
      const before = options.prune ? await idsOf(options.engine, images) : new Map<string, string>();
      const results = await mapLimited(jobs, atOnce, (job) => build(project, job, options));
      const built = results.flatMap((result) => (result === undefined ? [] : [result]));
      open = built;
      if (built.length === 0 || signal.aborted) return;
      await replace(project, built);
      if (options.prune) await removeReplaced(options.engine, before);
    } catch (error) {
      for (const job of open) tellFailure(job, error, options);
    }
  };
  const replace = async (project: Project, built: readonly Built[]): Promise<void> => {
    const services = new Set(built.map(({service}) => service));
    const part = rebuildProject(project, {services, runs: (service) => runningOf(options, service).length > 0});
    const guards = new Set(built.flatMap(({onReplace}) => [...onReplace]));
    const round = replacements.begin(services);
    let hasBegun = false;
    const beforeStart = async (id: ContainerId): Promise<void> => {
      await options.converge.beforeStart?.(id);
      if (!hasBegun) for (const tell of guards) tell('begin');
      hasBegun = true;
      round.starts(id);
    };
    try {
      await up(
        {
          project: part,
          ...lowerProject(part, options.lowering),
          options: {services: [...services], noBuild: true, ignoreOrphans: true},
        },
        {...options.converge, beforeStart},
      );
      round.done(built);
    } catch (error) {
      round.abandon();
      throw error;
    } finally {
      if (hasBegun) for (const tell of guards) tell('end');
    }
  };
  return {
    request({service, cause, onReplace}) {
      if (signal.aborted) return;
      const job = waiting.get(service) ?? {service, cause: emptyNotes(), onReplace: new Set()};
      addNotes(job.cause, cause);
      job.onReplace.add(onReplace);
      waiting.set(service, job);
      running ??= loop();
    },
    async close() {
      replacements.close();
      await running;
    },
  };
}

/** Undefined where it failed, which is told: the containers stay as they are. */
async function build(project: Project, job: Job, options: RebuildsOptions): Promise<Built | undefined> {
  const {converge} = options;
  const {service} = job;
  const definition = project.services[service];
  // The stack file was saved meanwhile.
  if (definition?.build === undefined) return undefined;
  const {[service]: _own, ...others} = project.services;
  const alone: Project = {
    ...project,
    services: {[service]: definition},
    disabledServices: {...project.disabledServices, ...others},
  };
  const begin = converge.clock.now();
  try {
    await buildImages(alone, converge);
    return {...job, buildMs: converge.clock.now() - begin};
  } catch (error) {
    tellFailure(job, error, options);
    return undefined;
  }
}

function tellFailure({service, cause}: Job, error: unknown, {converge, color}: RebuildsOptions): void {
  if (converge.signal.aborted) return;
  const known = toTscomposeError(error);
  converge.report({
    kind: 'watchRebuildFailed',
    service,
    cause: toCause(cause.paths),
    lines: problemLines(known, color),
    failure: failureInfo({key: `rebuild ${service}`, error: known}),
  });
}

function runningOf({containers}: RebuildsOptions, service: string): readonly WatchedContainer[] {
  return containers.of(service).filter(({running}) => running);
}
