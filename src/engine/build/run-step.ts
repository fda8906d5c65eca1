import {posix} from 'node:path';
import type {ContainerFile, HostConfig, Mount} from '../../api/types/container.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {attachContainer} from '../container/attach.ts';
import {stepImage, stepLabel, stepName} from '../container/build-steps.ts';
import type {ContainerContext, EndpointSource} from '../container/context.ts';
import {createContainer} from '../container/create.ts';
import {removeContainer} from '../container/remove.ts';
import {machineryPaths} from '../container/root-plan.ts';
import {startContainer} from '../container/start.ts';
import {waitForContainer} from '../container/wait.ts';
import type {OutputChunk} from '../engine.ts';
import {startFilesProcess} from '../helper/files-process.ts';
import type {LayerRecord} from '../image/record.ts';
import type {BuildWork} from './context.ts';
import type {LocalBuild} from './main-context.ts';
import {lowersOf, type Snapshot, takeLayer} from './snapshot.ts';
import type {RunStep} from './steps.ts';

/** What a run is given to mount. */
export interface RunMounts {
  readonly mounts: readonly Mount[];
  readonly files: readonly ContainerFile[];
  /** Variables that mounts bring: secrets. */
  readonly env: readonly string[];
  /** Layers of what is mounted as an image, top first, by the name that its mount has. */
  readonly images: ReadonlyMap<string, readonly string[]>;
}

export interface RunOptions {
  readonly request: LocalBuild;
  /** Names the build: its containers are called after it. */
  readonly build: string;
  readonly below: Snapshot;
  readonly mounts: RunMounts;
  readonly signal: AbortSignal;
  readonly onOutput: (chunk: OutputChunk) => void;
  /** Awaited while what a failed step left is still there, and its mounts. `upper`: what it wrote. */
  readonly onFailure?: (left: {readonly upper: string; readonly error: unknown}) => Promise<void>;
}

const usualHostname = 'buildkitsandbox';

/** The command did not succeed. */
function stepFailure(shown: string, status: number): TscomposeError {
  return new TscomposeError('dependencyFailed', `${shown} did not complete successfully: exit code: ${status}`);
}

/**
 * Runs a step as a container upon the layers below, with the isolation that any container has. Its upper directory becomes the
 * layer.
 */
export async function runStep(context: BuildWork, step: RunStep, options: RunOptions): Promise<LayerRecord> {
  const containers = overSnapshot(context, step, {...options, lowers: lowersOf(context, options.below)});
  const {Id: id} = await createContainer(containers, bodyOf(step, options), {
    name: stepName(options.build, step.id),
  });
  let aborting: Promise<unknown> | undefined;
  const abort = () => {
    aborting = removeContainer(containers, id, {force: true}).catch(() => undefined);
  };
  options.signal.addEventListener('abort', abort, {once: true});
  const {upper} = context.containers.layout.container(id);
  try {
    options.signal.throwIfAborted();
    try {
      const {StatusCode} = await runToEnd(containers, id, options);
      options.signal.throwIfAborted();
      if (StatusCode !== 0) throw stepFailure(`process "${step.words.join(' ')}"`, StatusCode);
    } catch (error) {
      if (!options.signal.aborted) await options.onFailure?.({upper, error});
      throw error;
    }
    await settle(context, upper, options);
    return await takeLayer(context, upper, options.signal);
  } finally {
    options.signal.removeEventListener('abort', abort);
    await aborting;
    await removeContainer(containers, id, {force: true}).catch((error) => {
      if (!hasKind(error, 'notFound')) throw error;
    });
  }
}

/** The same engine, where the step's image is these layers, top first, and what it mounts are those of other steps. */
export function overSnapshot(
  {containers: context}: BuildWork,
  step: RunStep,
  {lowers, mounts}: Pick<RunOptions, 'mounts'> & {readonly lowers: readonly string[]},
): ContainerContext {
  const known = new Map([[stepImage, lowers], ...mounts.images]);
  return {
    ...context,
    unrecorded: [...step.passing, ...mounts.env],
    endpoints: withoutMembers(context.endpoints),
    images: {
      ...context.images,
      resolve: async (reference) => {
        if (!known.has(reference)) return await context.images.resolve(reference);
        return {id: reference, reference, os: 'linux', architecture: '', layers: [], config: {}};
      },
      root: async (wanted) => {
        const lowers = known.get(wanted.id);
        return lowers === undefined ? await context.images.root(wanted) : {lowers, operations: []};
      },
    },
  };
}

/** No event tells that a step came to a network or left it. */
function withoutMembers(endpoints: EndpointSource): EndpointSource {
  return {
    ...endpoints,
    membersOf: () => Promise.resolve([]),
    async plan(record, name) {
      const plan = await endpoints.plan(record, name);
      return {...plan, operations: plan.operations.filter(({kind}) => kind !== 'networkMember')};
    },
  };
}

/** What its container is asked for. */
export function bodyOf(step: RunStep, {request, mounts}: Pick<RunOptions, 'request' | 'mounts'>) {
  const host: HostConfig = {
    NetworkMode: step.network === 'default' ? 'bridge' : step.network,
    ExtraHosts: request.extraHosts,
    Mounts: mounts.mounts,
    TscomposeFiles: mounts.files,
    LogConfig: {Type: 'none', Config: {}},
    Ulimits: request.ulimits,
    ...(request.shmSize === undefined ? {} : {ShmSize: request.shmSize}),
    ...(request.cgroupParent === undefined ? {} : {CgroupParent: request.cgroupParent}),
    ...(step.insecure ? {Privileged: true} : {}),
  };
  return {
    Image: stepImage,
    // Its own name is none of the variables that a step sees.
    Env: [...step.env, 'HOSTNAME'],
    Entrypoint: step.words,
    Cmd: [],
    WorkingDir: step.cwd,
    User: step.user,
    Hostname: step.hostname ?? usualHostname,
    Labels: {[stepLabel]: step.stage},
    HostConfig: host,
  };
}

async function runToEnd(
  context: ContainerContext,
  id: string,
  {onOutput, signal}: RunOptions,
): Promise<{readonly StatusCode: number}> {
  const attachment = await attachContainer(context, id, {stdin: false, stdout: true, stderr: true});
  const output = (async () => {
    for await (const chunk of attachment.output) onOutput(chunk);
  })();
  try {
    await startContainer(context, id);
  } catch (error) {
    attachment.detach();
    await output.catch(() => undefined);
    throw ofStep(error);
  }
  const result = await waitForContainer(context, id, 'not-running', signal);
  await output;
  return result;
}

/** What is advised for services is no advice here. */
function ofStep(error: unknown): unknown {
  if (!(error instanceof TscomposeError)) return error;
  return new TscomposeError(error.kind, error.message, {cause: error.cause, exitCode: error.exitCode});
}

/** Takes the places of mounts out of the upper directory where nothing was put into them. */
async function settle(work: BuildWork, upper: string, {below, mounts}: RunOptions): Promise<void> {
  const targets = [...mounts.mounts.map(({Target}) => Target ?? ''), ...mounts.files.map(({Target}) => Target)];
  const places = [...machineryPaths, ...targets.map((target) => posix.resolve('/', target))].sort(deeperFirst);
  const place = {pid: 0, monitor: 0, operations: new Uint8Array()};
  const paths = [...places, ...lowersOf(work, below)];
  const {output} = await startFilesProcess(work.images.helper, {
    kind: 'fileSettle',
    ...place,
    upper,
    places: places.length,
    paths,
  });
  for await (const _ of output);
}

function deeperFirst(a: string, b: string): number {
  return b.split('/').length - a.split('/').length;
}
