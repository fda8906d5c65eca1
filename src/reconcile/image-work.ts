import type {AuthConfig} from '../api/types/image.ts';
import {createLimiter} from '../base/concurrency.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {TscomposeError, toTscomposeError} from '../base/errors.ts';
import type {Project} from '../model/types.ts';
import type {Report} from '../report/event.ts';
import {type BuildImage, buildImage} from './build-image.ts';
import type {EngineClient} from './engine-client.ts';
import {failureInfo, nodeKey} from './failure.ts';
import {pullImage} from './pull-image.ts';
import type {BuildNode, ImageNode, PullNode} from './run.ts';
import type {WorkMemory} from './work-memory.ts';

/** Images that come while a command works, across its waves: pulled or built. */
export interface ImageWork extends AsyncDisposable {
  /** To be called before a plan is made. */
  planBegins(): void;
  /** Begins those that are not under way. What has ended while the plan was made is left to the next plan, which knows of it. */
  begin(nodes: readonly ImageNode[]): void;
  /** One comes, or has ended since the last `next`. */
  areUnderWay(): boolean;
  /** Resolves when one has ended since the last time, well or not. */
  next(): Promise<void>;
}

/** The credentials for an image. `tell` is called where its registry is asked without the ones that there should be. */
export type RegistryAuth = (image: string, tell: (warning: Diagnostic) => void) => Promise<AuthConfig | undefined>;

export interface ImageWorkOptions {
  readonly engine: Pick<EngineClient, 'pull'>;
  /** Absent where no stack file is at hand: then nothing is built. */
  readonly project: Project | undefined;
  readonly memory: WorkMemory;
  readonly report: Report;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly registryAuth?: RegistryAuth | undefined;
  readonly build?: BuildImage | undefined;
}

/** Each image comes by several connections. */
const pullsAtOnce = 4;
/** The steps of each run side by side, too. */
const buildsAtOnce = 3;

export function createImageWork(options: ImageWorkOptions): ImageWork {
  const limits = {pullImage: createLimiter(pullsAtOnce), buildImage: createLimiter(buildsAtOnce)};
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const running = new Map<string, Promise<void>>();
  /** A name stands for what it was pulled for last: of several platforms, for the last one planned. */
  const ofName = new Map<string, Promise<void>>();
  const endedMeanwhile = new Set<string>();
  let hasEnded = false;
  let wake: (() => void) | undefined;
  const begin = (node: ImageNode) => {
    const key = nodeKey(node);
    if (running.has(key) || endedMeanwhile.has(key)) return;
    const {kind, image} = node.action;
    const earlier = ofName.get(image);
    const work = () => limits[kind](() => bring(node, {...options, signal}));
    const coming = (earlier === undefined ? work() : earlier.then(work)).finally(() => {
      running.delete(key);
      endedMeanwhile.add(key);
      hasEnded = true;
      wake?.();
    });
    running.set(key, coming);
    ofName.set(image, coming);
  };
  return {
    planBegins: () => endedMeanwhile.clear(),
    begin: (nodes) => nodes.forEach(begin),
    async next() {
      if (!hasEnded) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      hasEnded = false;
    },
    areUnderWay: () => hasEnded || running.size > 0,
    // Nothing goes on behind the back of a command that ends, and one that has failed does not wait for images.
    async [Symbol.asyncDispose]() {
      over.abort();
      await Promise.all(running.values());
    },
  };
}

/** Never rejects: what failed is remembered, and told once. */
async function bring(node: ImageNode, options: ImageWorkOptions): Promise<void> {
  const {memory, report, now, signal} = options;
  if (signal.aborted) return;
  const beginMs = now();
  report({kind: 'nodeStarted', node});
  try {
    const kept = isPull(node) ? await pullImage(node, options) : await buildImage(node, options);
    if (kept === undefined) memory.done += 1;
    else report({kind: 'notice', notice: kept});
    report({kind: 'nodeDone', node, tookMs: now() - beginMs, ...(kept === undefined ? {} : {kept: true})});
  } catch (error) {
    // Only then: one that is neither told nor remembered would be begun again and again.
    if (signal.aborted) return;
    const failure = {key: nodeKey(node), error: nameImage(node, toTscomposeError(error))};
    memory.failures.set(failure.key, failure);
    report({kind: 'nodeFailed', node, failure: failureInfo(failure)});
  }
}

function isPull(node: ImageNode): node is PullNode {
  return node.action.kind === 'pullImage';
}

/**
 * A registry speaks of what it has: the message gets the name that the person knows, unless it names the image, its service or
 * a place in a Dockerfile.
 */
function nameImage({action}: PullNode | BuildNode, error: TscomposeError): TscomposeError {
  const {image, kind, services} = action;
  const {message, hint, diagnostics} = error;
  const isNamed = message.includes(image) || services.some((name) => message.startsWith(`service "${name}"`));
  if (isNamed || diagnostics.length > 0) return error;
  const verb = kind === 'pullImage' ? 'pull' : 'build';
  return new TscomposeError(error.kind, `cannot ${verb} image "${image}": ${message}`, {hint, cause: error});
}
