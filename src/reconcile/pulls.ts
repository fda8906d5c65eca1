import type {AuthConfig, ImageProgress} from '../api/types/image.ts';
import {createLimiter} from '../base/concurrency.ts';
import {TscomposeError, toTscomposeError} from '../base/errors.ts';
import type {Report} from '../report/event.ts';
import type {EngineClient} from './engine-client.ts';
import {failureInfo, nodeKey} from './failure.ts';
import {createPullProgress} from './pull-progress.ts';
import type {PullNode} from './run.ts';
import type {WorkMemory} from './work-memory.ts';

/** Images that come while a command works, across its waves. */
export interface Pulls extends AsyncDisposable {
  /** Begins those that are not under way. */
  begin(nodes: readonly PullNode[]): void;
  /** One comes, or has ended since the last `next`. */
  areUnderWay(): boolean;
  /** Resolves when one has ended since the last time, well or not. */
  next(): Promise<void>;
}

export interface PullsOptions {
  readonly engine: Pick<EngineClient, 'pull'>;
  readonly memory: WorkMemory;
  readonly report: Report;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** The credentials for an image. */
  readonly registryAuth?: ((image: string) => Promise<AuthConfig | undefined>) | undefined;
}

/** Each image comes by several connections. */
const pullsAtOnce = 4;

export function createPulls(options: PullsOptions): Pulls {
  const limit = createLimiter(pullsAtOnce);
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const running = new Map<string, Promise<void>>();
  let hasEnded = false;
  let wake: (() => void) | undefined;
  const begin = (node: PullNode) => {
    const key = nodeKey(node);
    if (running.has(key)) return;
    const pulling = limit(() => pullOne(node, {...options, signal})).finally(() => {
      running.delete(key);
      hasEnded = true;
      wake?.();
    });
    running.set(key, pulling);
  };
  return {
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
async function pullOne(node: PullNode, options: PullsOptions): Promise<void> {
  const {engine, memory, report, now, signal, registryAuth} = options;
  const {image, platform} = node.action;
  if (signal.aborted) return;
  const beginMs = now();
  report({kind: 'nodeStarted', node});
  try {
    const progress = createPullProgress((detail) => report({kind: 'nodeProgress', node, detail}));
    const authconfig = await registryAuth?.(image);
    const lines: AsyncIterable<ImageProgress> = await engine.pull(withTag(image), {
      abortSignal: signal,
      authconfig,
      platform,
    });
    for await (const line of lines) progress(line);
    memory.pulled.add(image);
    memory.done += 1;
    report({kind: 'nodeDone', node, tookMs: now() - beginMs});
  } catch (error) {
    // Only then: one that is neither told nor remembered would be begun again and again.
    if (signal.aborted) return;
    const wrapped = toTscomposeError(error, `cannot pull image "${image}"`);
    if (node.action.optional) {
      memory.pulled.add(image);
      const message = `${wrapped.message}; image "${image}" is used as it was built`;
      report({kind: 'notice', notice: {level: 'warning', message}});
      report({kind: 'nodeDone', node, tookMs: now() - beginMs, kept: true});
      return;
    }
    const failure = {key: nodeKey(node), error: nameImage(image, wrapped)};
    memory.failures.set(failure.key, failure);
    report({kind: 'nodeFailed', node, failure: failureInfo(failure)});
  }
}

/** A name without a tag means "latest": to an engine it would mean every tag. */
function withTag(image: string): string {
  return /[:@]/.test(image.slice(image.lastIndexOf('/') + 1)) ? image : `${image}:latest`;
}

function nameImage(image: string, error: TscomposeError): TscomposeError {
  if (error.message.includes(image)) return error;
  return new TscomposeError(error.kind, `cannot pull image "${image}": ${error.message}`, {
    hint: error.hint,
    cause: error,
  });
}
