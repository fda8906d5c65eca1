import type {BuildEvent} from '../../../api/types/build.ts';
import type {BuildCacheTarget} from '../../../api/types/build-cache.ts';
import {onePiece, skipBytes} from '../../../base/byte-streams.ts';
import {sha256Hex} from '../../../base/canonical-json.ts';
import {mapLimited} from '../../../base/concurrency.ts';
import {TscomposeError, toTscomposeError} from '../../../base/errors.ts';
import type {BuildRequest, BuildWork} from '../context.ts';
import type {MadeStep} from '../solve.ts';
import {cacheConfigType, makeCacheConfig, type ToldStep} from './config.ts';
import {makeCacheManifest, type NamedBlob} from './manifest.ts';
import {packLayer} from './packed-layer.ts';
import {openDirectoryTarget} from './to-directory.ts';
import {openRegistryTarget} from './to-registry.ts';
import {parentKey} from './told-steps.ts';

/** A place that a cache is written to: its blobs first, then what names them. */
export interface CacheWriter {
  put(blob: NamedBlob, read: (from: number) => AsyncIterable<Uint8Array>): Promise<void>;
  finish(manifest: ReturnType<typeof makeCacheManifest>): Promise<void>;
}

/** One that blobs are written to. */
type Outside = Exclude<BuildCacheTarget, {readonly kind: 'inline'}>;

export interface ExportOptions {
  readonly request: Pick<BuildRequest, 'cacheTo' | 'auths' | 'client'>;
  /** Of the image's own layers, and of all steps, lowest first. */
  readonly steps: Readonly<Record<'min' | 'max', readonly MadeStep[]>>;
  readonly signal: AbortSignal;
  readonly emit: (event: BuildEvent) => void;
}

/** Layers that are packed and sent at the same time. */
const atOnce = 3;

/** Writes what the build's steps resulted in to every place that was asked for, but not into the image. */
export async function exportCaches(context: BuildWork, options: ExportOptions): Promise<void> {
  for (const target of options.request.cacheTo ?? [])
    if (target.kind !== 'inline') await exportTo(context, target, options);
}

async function exportTo(context: BuildWork, target: Outside, options: ExportOptions): Promise<void> {
  const {emit, signal} = options;
  const name = target.kind === 'local' ? target.path : target.reference;
  emit({kind: 'note', text: `exporting cache to ${name}`});
  try {
    await write(context, target, options);
  } catch (error) {
    signal.throwIfAborted();
    const {kind, message, hint} = toTscomposeError(error);
    const text = `cannot export the cache to ${name}: ${message}`;
    if (target.ignoreError !== true) throw new TscomposeError(kind, text, {cause: error, hint});
    emit({kind: 'warning', warning: {severity: 'warning', code: 'cache-not-exported', message: text}});
  }
}

async function write(context: BuildWork, target: Outside, {request, steps, signal}: ExportOptions): Promise<void> {
  const {session} = context;
  const told = steps[target.mode];
  const writer =
    target.kind === 'local'
      ? await openDirectoryTarget(target)
      : await openRegistryTarget(context, target, {request, signal});
  const layers = new Map(told.map(({layer}) => [layer.blob, layer]));
  const packed = await mapLimited([...layers.values()], atOnce, async (layer) => {
    await using made = await packLayer(session, layer, {...target, signal});
    await writer.put(made.descriptor, (from) => skipBytes(made.source.read(signal), from));
    return [layer.blob, made.descriptor] as const;
  });
  const descriptors = new Map(packed);
  const config = Buffer.from(makeCacheConfig(told.map((step) => toldOf(step, told, descriptors))));
  const named = {mediaType: cacheConfigType, digest: `sha256:${sha256Hex(config)}`, size: config.length};
  await writer.put(named, (from) => onePiece(config.subarray(from)));
  const unique = new Map(packed.map(([, descriptor]) => [descriptor.digest, descriptor]));
  await writer.finish(makeCacheManifest(named, [...unique.values()], target));
}

function toldOf(step: MadeStep, told: readonly MadeStep[], descriptors: ReadonlyMap<string, NamedBlob>): ToldStep {
  const {key, created, layer} = step;
  const descriptor = descriptors.get(layer.blob);
  if (descriptor === undefined) throw new TscomposeError('internal', `layer ${layer.diffId} was not written`);
  const {mediaType, digest: blob, size} = descriptor;
  return {...{key, created, parent: parentKey(told, step), diffId: layer.diffId}, ...{blob, mediaType, size}};
}
