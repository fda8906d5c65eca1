import {basename, posix} from 'node:path';
import type {BuildEvent} from '../../api/types/build.ts';
import {sha256Hex} from '../../base/canonical-json.ts';
import {createLimiter} from '../../base/concurrency.ts';
import {TscomposeError} from '../../base/errors.ts';
import {noLines, type OpenLines, withText} from '../../base/last-lines.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import {noSuchImage} from '../image/find.ts';
import {machinePlatform} from '../image/platform.ts';
import type {LayerRecord} from '../image/record.ts';
import {atPlace} from './at-place.ts';
import {type BuildCache, type CachedStep, type KeyParts, keyOf} from './cache.ts';
import type {BuildWork} from './context.ts';
import {contentDigest, select} from './copy-plan.ts';
import {copyFiles, makeDirectory, type SelectedCopy} from './copy-step.ts';
import {checkRunnable} from './emulation.ts';
import {explainMiss} from './explain.ts';
import {type HoldOptions, holdStep, noMounts, shellOver} from './hold-step.ts';
import type {LocalBuild} from './main-context.ts';
import {boundMounts, prepareMounts} from './mounts.ts';
import type {Origins} from './origins.ts';
import {outputAsText} from './output-text.ts';
import {runStep} from './run-step.ts';
import type {Snapshot} from './snapshot.ts';
import type {SourceTree} from './source/tree.ts';
import {type CopyStep, type DirectoryStep, inputsOf, type RunStep, type Step, type StepId} from './steps.ts';
import {type Turn, takeTurn} from './turn.ts';

/** What a step came to. */
export interface StepResult {
  readonly key: string;
  readonly snapshot: Snapshot;
  /** When its layer was made. */
  readonly created: string | undefined;
}

/** A step that is done, with the layer that it made or took from a cache. */
export interface MadeStep {
  readonly id: StepId;
  /** The step that it is upon. */
  readonly parent: StepId | undefined;
  readonly key: string;
  readonly created: string;
  readonly layer: LayerRecord;
}

export interface Solver {
  result(step: StepId): Promise<StepResult>;
  /** All that were done until now, each after the one that it is upon. */
  made(): readonly MadeStep[];
  /** Resolves when no step is under way any more. */
  settled(): Promise<void>;
}

export interface Solving {
  readonly request: LocalBuild;
  readonly steps: readonly Step[];
  readonly cache: BuildCache;
  /** That of this machine alone. */
  readonly ownCache: Pick<BuildCache, 'find'>;
  readonly origins: () => Origins;
  readonly signal: AbortSignal;
  readonly directory: string;
  /** Tells one Dockerfile from another: for explanations. */
  readonly slot: string;
  readonly emit: (event: BuildEvent) => void;
}

/** Everything that a step is made of, before it is known whether it was made before. */
interface Prepared extends KeyParts {
  readonly below: Snapshot;
  readonly listed?: Readonly<Record<string, string>>;
  readonly versions?: Readonly<Record<string, string>>;
  /** `release`: to be called before something that has no end, since others may wait for the step. */
  make(release: () => Promise<void>): Promise<LayerRecord>;
}

/**
 * Walks the steps that lead to one: each once, those that do not wait for each other at the same time. What was made before is
 * taken from the cache.
 */
export function createSolver(context: BuildWork, solving: Solving): Solver {
  const {steps, cache, emit} = solving;
  const results = new Map<StepId, Promise<StepResult>>();
  const done: MadeStep[] = [];
  const said = new Map<StepId, OpenLines>();
  const limit = createLimiter(context.concurrency);
  // Stages of several platforms that are the same are made once.
  const making = new Map<string, Promise<CachedStep>>();

  const result = (id: StepId): Promise<StepResult> => {
    const known = results.get(id) ?? solve(id);
    results.set(id, known);
    return known;
  };

  async function solve(id: StepId): Promise<StepResult> {
    const step = steps[id];
    if (step === undefined) throw new TscomposeError('internal', `a build has no step ${id}`);
    // All begin; one that fails is told once the others were told of it.
    const inputs = inputsOf(step).map(result);
    await Promise.all(inputs);
    solving.signal.throwIfAborted();
    return await limit(() => told(step, () => carryOut(step)));
  }

  async function told(step: Step, work: () => Promise<{readonly result: StepResult; readonly cached: boolean}>) {
    emit({kind: 'step', step: step.id, title: step.title, status: 'start'});
    try {
      const {result: done, cached} = await work();
      emit({kind: 'step', step: step.id, status: cached ? 'cached' : 'done'});
      return done;
    } catch (error) {
      if (step.kind === 'copy') await holdBefore(step, error);
      emit({kind: 'step', step: step.id, status: solving.signal.aborted ? 'canceled' : 'failed'});
      throw atPlace(error, step.place, {...solving.request.dockerfile, output: said.get(step.id)});
    }
  }

  async function carryOut(step: Step): Promise<{readonly result: StepResult; readonly cached: boolean}> {
    if (step.kind === 'image') return {result: await openImage(context, step.image), cached: true};
    const parent = step.parent === undefined ? undefined : await result(step.parent);
    const prepared = await prepare(step, parent);
    const key = keyOf(prepared);
    const cached = await (making.get(key) ?? (step.fresh ? undefined : cache.find(key, step.title)));
    await using turn = cached === undefined ? await turnOf(step, key) : undefined;
    const found = cached ?? turn?.found;
    await explain(step, prepared, found);
    const made = found ?? (await (making.get(key) ?? make(step, prepared, {key, turn})));
    done.push({id: step.id, parent: step.parent, key, created: made.created, layer: made.layer});
    return {
      result: {key, snapshot: [...(parent?.snapshot ?? []), made.layer], created: made.created},
      cached: found !== undefined,
    };
  }

  function turnOf({id, title, fresh}: Step, key: string): Promise<Turn> {
    const text = 'another build makes this step: waiting for what comes of it\n';
    return takeTurn(context, {
      ...{key, waits: !fresh, signal: solving.signal},
      find: () => solving.ownCache.find(key, title),
      onWait: () => emit({kind: 'output', step: id, stream: 'stderr', text}),
    });
  }

  function make(
    step: Step,
    prepared: Prepared,
    {key, turn}: {readonly key: string; readonly turn: Turn | undefined},
  ): Promise<CachedStep> {
    const work = async () => {
      const layer = await prepared.make(async () => await turn?.release());
      const made = {layer, created: formatNanoseconds(unixNanoseconds(context.images.now)), title: step.title};
      await cache.keep(key, made);
      return made;
    };
    const made = work();
    making.set(key, made);
    return made;
  }

  async function explain(step: Step, prepared: Prepared, cached: CachedStep | undefined): Promise<void> {
    // Its place within its stage: what other stages are built beside it is of no matter.
    const place = steps.filter(({id, stage}) => stage === step.stage && id < step.id).length;
    const slot = sha256Hex(`${solving.slot}\n${step.stage}\n${place}`).slice(0, 32);
    if (cached !== undefined) {
      const {from} = cached;
      const explained = {verdict: 'cached', ...(from !== undefined && {from})} as const;
      if (solving.request.explain) emit({kind: 'explained', step: step.id, explained});
    } else if (solving.request.explain) {
      const explained = explainMiss(await cache.lastParts(slot), prepared, step.fresh);
      emit({kind: 'explained', step: step.id, explained});
    }
    const {parent, definition, files, listed, versions} = prepared;
    await cache.keepParts(slot, {parent, definition, files, ...(listed && {listed}), ...(versions && {versions})});
  }

  function prepare(step: RunStep | CopyStep | DirectoryStep, parent: StepResult | undefined): Promise<Prepared> {
    if (step.kind === 'run') return prepareRun(step, parent);
    if (step.kind === 'copy') return prepareCopy(step, parent);
    const {kind, path, owner} = step;
    const below = parent?.snapshot ?? [];
    const make = () => makeDirectory(context, step, {below, signal: solving.signal});
    return Promise.resolve({parent: parent?.key ?? '', definition: {kind, path, owner}, files: '', below, make});
  }

  async function prepareCopy(step: CopyStep, parent: StepResult | undefined): Promise<Prepared> {
    const below = parent?.snapshot ?? [];
    const copies: SelectedCopy[] = [];
    const versions: Record<string, string> = {};
    for (const {from, sources, unpack} of step.copies) {
      const tree = await solving.origins().open(from);
      tellVersion(step, tree, versions);
      copies.push({tree, selections: await select(tree, sources, step), unpack});
    }
    const {kind, target, owner, chmod, link, parents} = step;
    const unpack = step.copies.map((copy) => copy.unpack);
    const names = step.copies.map(({sources}) => sources.map((source) => posix.basename(source)));
    return {
      parent: link ? '' : (parent?.key ?? ''),
      definition: {kind, target, owner, chmod, link, parents, unpack, names},
      files: sha256Hex(copies.map(({selections}) => contentDigest(selections)).join('\n')),
      ...{listed: listedFiles(copies), versions},
      below,
      make: () => copyFiles(context, step, copies, {below, signal: solving.signal}),
    };
  }

  /** Of what was fetched it is told which it was. */
  function tellVersion(step: Step, {fetched}: SourceTree, versions: Record<string, string>): void {
    if (fetched === undefined) return;
    const {shown, version} = fetched;
    if (versions[shown] === undefined)
      emit({kind: 'output', step: step.id, stream: 'stderr', text: `${shown}: ${version}\n`});
    versions[shown] = version;
  }

  async function prepareRun(step: RunStep, parent: StepResult | undefined): Promise<Prepared> {
    const below = parent?.snapshot ?? [];
    const {kind, words, scripts, env, cwd, user, network, insecure, foreign, hostname} = step;
    const digests: string[] = [];
    const versions: Record<string, string> = {};
    for (const {from, source, target} of boundMounts(step)) {
      const tree = await solving.origins().open(from);
      tellVersion(step, tree, versions);
      const selections = await select(tree, [source], {parents: false, exclude: []});
      // What a file is called where it comes from is not seen.
      digests.push(`${target} ${contentDigest(selections.map((selection) => ({...selection, name: ''})))}`);
    }
    const mounts = step.mounts.map((mount) => definitionOf(mount));
    return {
      parent: parent?.key ?? '',
      definition: {
        ...{kind, words, scripts, env, cwd, user, network, insecure, mounts},
        ...(foreign && {foreign}),
        ...(hostname && {hostname}),
      },
      files: digests.length === 0 ? '' : sha256Hex(digests.join('\n')),
      ...{below, versions},
      async make(release) {
        const {request, signal, directory} = solving;
        if (foreign !== undefined) await checkRunnable(foreign, machinePlatform(context.images.architecture));
        await using mounted = await prepareMounts(context, step, {
          request,
          signal,
          directory,
          origins: solving.origins(),
        });
        const build = basename(directory);
        return await runStep(context, step, {
          ...{request, build, below, mounts: mounted, signal},
          onFailure: (left) => hold(step, {...left, build, below, mounts: mounted, release}),
          onOutput: outputAsText((stream, text) => {
            said.set(step.id, withText(said.get(step.id) ?? noLines, text));
            emit({kind: 'output', step: step.id, stream, text});
          }),
        });
      },
    };
  }

  /** One shell is enough: what fails meanwhile only fails. */
  let isHeld = false;
  async function hold(
    step: RunStep,
    {
      error,
      release,
      ...left
    }: Pick<HoldOptions, 'build' | 'below' | 'mounts' | 'upper'> & {
      readonly error: unknown;
      readonly release: () => Promise<void>;
    },
  ): Promise<void> {
    const {request, signal} = solving;
    const [failure] = atPlace(error, step.place, {...request.dockerfile, output: said.get(step.id)}).diagnostics;
    if (request.debug === undefined || isHeld || failure === undefined) return;
    isHeld = true;
    await release();
    const {term} = request.debug;
    const before = left.upper === undefined ? ({before: true} as const) : {};
    const onHeld: HoldOptions['onHeld'] = (shell) =>
      emit({kind: 'held', step: step.id, failure, ...before, ...(shell && {shell})});
    await holdStep(context, step, {...left, request, term, signal, onHeld});
  }

  /** A copy that fails leaves nothing: the shell is in what it was to be upon. */
  async function holdBefore(step: CopyStep, error: unknown): Promise<void> {
    const {request, signal, directory} = solving;
    const shell = shellOver(step, request);
    if (request.debug === undefined || signal.aborted || shell === undefined) return;
    const below = step.parent === undefined ? [] : (await result(step.parent)).snapshot;
    const nothing = {build: basename(directory), below, mounts: noMounts, release: async () => undefined};
    await hold(shell, {...nothing, error});
  }

  const settled = async (): Promise<void> => {
    await Promise.allSettled(results.values());
  };
  return {result, made: () => done, settled};
}

/** What of a mount counts: neither what a secret holds, nor which cache it is, nor where files come from. */
function definitionOf(mount: RunStep['mounts'][number]): Readonly<Record<string, unknown>> {
  const {type, target} = mount;
  if (type === 'bind') return {type, target, readOnly: mount.readOnly};
  if (type === 'tmpfs') return {type, target, size: mount.size};
  const {mode, uid, gid} = mount;
  if (type === 'cache') return {type, target, sharing: mount.sharing, readOnly: mount.readOnly, mode, uid, gid};
  return {type, target, env: mount.env, id: mount.id, mode, uid, gid};
}

/** Short marks of each file that is copied, for explanations. */
function listedFiles(copies: readonly SelectedCopy[]): Readonly<Record<string, string>> {
  const listed: Record<string, string> = {};
  for (const {selections} of copies) {
    for (const {path, entries} of selections) {
      for (const {path: below, mode, content, attributes} of entries)
        listed[[path, below].filter((part) => part !== '').join('/')] =
          `${mode.toString(8)} ${content.slice(0, 16)}${attributes.slice(0, 8)}`;
    }
  }
  return listed;
}

async function openImage({session}: BuildWork, image: string): Promise<StepResult> {
  const held = await session.findImage(image);
  if (held === undefined) throw noSuchImage(image);
  return {key: held.id, snapshot: held.layers, created: undefined};
}
