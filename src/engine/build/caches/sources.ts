import type {BuildEvent} from '../../../api/types/build.ts';
import type {BuildCacheSource} from '../../../api/types/build-cache.ts';
import {hasKind, toTscomposeError} from '../../../base/errors.ts';
import type {Platform} from '../../image/platform.ts';
import {authFor} from '../auth-for.ts';
import type {BuildCache, CachedStep} from '../cache.ts';
import type {BuildRequest, BuildWork} from '../context.ts';
import {platformsOf} from '../platforms-of.ts';
import {openDirectoryCache} from './from-directory.ts';
import {openRegistryCache} from './from-registry.ts';
import {openImageCache} from './inline.ts';
import type {OpenedCache, TakenStep} from './opened.ts';

export interface SourceOptions {
  readonly request: Pick<BuildRequest, 'cacheFrom' | 'auths' | 'client' | 'platforms'>;
  readonly signal: AbortSignal;
  readonly emit: (event: BuildEvent) => void;
}

interface Source {
  readonly name: string;
  readonly cache: OpenedCache;
  /** It does not answer any more. */
  isGone: boolean;
}

/**
 * The cache with those elsewhere behind it. They are asked once something is not here; a layer comes when its step is asked
 * for, under a key that was worked out here. What they cannot give is a warning, and the step is built.
 */
export function withSources(context: BuildWork, cache: BuildCache, options: SourceOptions): BuildCache {
  const {cacheFrom = []} = options.request;
  if (cacheFrom.length === 0) return cache;
  let opened: Promise<readonly Source[]> | undefined;
  return {
    ...cache,
    async find(key, title) {
      const own = await cache.find(key, title);
      if (own !== undefined) return own;
      opened ??= openAll(context, cacheFrom, options);
      for (const source of await opened) {
        const taken = source.isGone ? undefined : await take(source, key, options);
        if (taken === undefined) continue;
        const step: CachedStep = {...taken, title, from: source.name};
        await cache.keep(key, step);
        return step;
      }
      return undefined;
    },
  };
}

async function openAll(
  context: BuildWork,
  sources: readonly BuildCacheSource[],
  options: SourceOptions,
): Promise<readonly Source[]> {
  const found = await Promise.all(sources.map((source) => open(context, source, options)));
  return found.flatMap((source) => source ?? []);
}

async function open(context: BuildWork, source: BuildCacheSource, options: SourceOptions): Promise<Source | undefined> {
  const name = source.kind === 'local' ? source.path : source.reference;
  options.emit({kind: 'note', text: `importing cache from ${name}`});
  try {
    const cache = await openOne(context, source, options);
    if (cache === undefined) warn(options, name, 'there is none in it');
    else if (cache.isForeign) warn(options, name, 'it was made by another builder, whose keys are not known here');
    return cache && {name, cache, isGone: false};
  } catch (error) {
    throwOwn(error, options);
    warn(options, name, toTscomposeError(error).message);
    return undefined;
  }
}

async function openOne(
  context: BuildWork,
  source: BuildCacheSource,
  {request, signal}: SourceOptions,
): Promise<OpenedCache | undefined> {
  if (source.kind === 'local') return await openDirectoryCache(context, source, signal);
  const {reference} = source;
  const auth = await authFor(reference, request);
  // An image for several platforms has the cache of each in its own.
  const [first, ...others] = platformsOf(request);
  const openFor = async (platform: Platform | undefined) =>
    (await openImageCache(context, reference, platform)) ??
    (await openRegistryCache(context, {reference, auth, platform, signal}));
  if (others.length === 0) return await openFor(first);
  const opened = await Promise.allSettled([first, ...others].map(openFor));
  const found = opened.flatMap((one) => (one.status === 'fulfilled' ? (one.value ?? []) : []));
  const failed = opened.find((one) => one.status === 'rejected');
  // It need not be there for all of them.
  if (found.length === 0 && failed !== undefined) throw failed.reason;
  return joined(found);
}

/** Undefined where there is none. */
function joined(caches: readonly OpenedCache[]): OpenedCache | undefined {
  if (caches.length === 0) return undefined;
  return {
    isForeign: caches.every(({isForeign}) => isForeign),
    async take(key) {
      for (const cache of caches) {
        const taken = await cache.take(key);
        if (taken !== undefined) return taken;
      }
      return undefined;
    },
  };
}

async function take(source: Source, key: string, options: SourceOptions): Promise<TakenStep | undefined> {
  try {
    return await source.cache.take(key);
  } catch (error) {
    throwOwn(error, options);
    // Damaged content says nothing of the rest; one that is not reached is not asked again for every step.
    source.isGone = !hasKind(error, 'invalid', 'unsupported', 'notFound');
    warn(options, source.name, toTscomposeError(error).message);
    return undefined;
  }
}

/** What is wrong here, and not there: the disk is full, or the build is given up. */
function throwOwn(error: unknown, {signal}: SourceOptions): void {
  signal.throwIfAborted();
  const {code} = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  if (hasKind(error, 'exhausted') && code !== undefined) throw error;
  if (hasKind(error, 'internal', 'canceled')) throw error;
}

function warn({emit}: SourceOptions, name: string, reason: string): void {
  const message = `cache ${name} is not used: ${reason}`;
  emit({kind: 'warning', warning: {severity: 'warning', code: 'cache-not-used', message}});
}
