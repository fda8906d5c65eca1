import type {AuthConfig} from '../../../api/types/image.ts';
import {parseConfiguration, parseJson} from '../../image/configuration.ts';
import {machinePlatform, type Platform} from '../../image/platform.ts';
import {familiarReference, formatReference, parseReference} from '../../image/reference.ts';
import type {Connection} from '../../registry/connection.ts';
import {downloadBlob} from '../../registry/download.ts';
import {fetchManifest} from '../../registry/manifest.ts';
import {firstThatAnswers} from '../../registry/registries.ts';
import {resolveImage} from '../../registry/resolve.ts';
import {fetchSmallBlob} from '../../registry/small-blob.ts';
import type {BuildWork} from '../context.ts';
import {readLayers, readRecords} from './config.ts';
import {readInlineCache} from './inline.ts';
import {layerNamed, readCacheManifest} from './manifest.ts';
import {type OfferedStep, type OfferedSteps, type OpenedCache, openOffered} from './opened.ts';

export interface RegistryCache {
  readonly reference: string;
  readonly auth: AuthConfig;
  readonly platform: Platform | undefined;
  readonly signal: AbortSignal;
}

type Offered = Omit<OfferedSteps, 'fetch'>;

/** A cache that was pushed to a registry, or an image there with a cache in it. Undefined: it has none. */
export async function openRegistryCache(
  context: BuildWork,
  {reference, auth, platform, signal}: RegistryCache,
): Promise<OpenedCache | undefined> {
  const {registry, repository, tag = 'latest', digest} = parseReference(reference);
  const name = familiarReference(formatReference(parseReference(reference)));
  const connections = await context.reach(registry, 'pull', auth);
  const wanted = {repository, reference: digest ?? tag, name, signal};
  const {connection, value} = await firstThatAnswers(connections, (place) =>
    readOffered(place, {...wanted, platform: platform ?? machinePlatform(context.images.architecture)}),
  );
  if (value === undefined) return undefined;
  const order = [connection, ...connections.filter((other) => other !== connection)];
  const fetch: OfferedSteps['fetch'] = async (descriptor, sink, stopped) => {
    await firstThatAnswers(order, (place) => downloadBlob(place, {repository, descriptor, sink, signal: stopped}));
  };
  return openOffered(context, {...value, fetch}, signal);
}

interface Wanted {
  readonly repository: string;
  readonly reference: string;
  readonly name: string;
  readonly platform: Platform;
  readonly signal: AbortSignal;
}

async function readOffered(connection: Connection, wanted: Wanted): Promise<Offered | undefined> {
  const {repository, name, signal} = wanted;
  const manifest = await fetchManifest(connection, wanted);
  const cache = readCacheManifest(manifest);
  if (cache === undefined) return await readImage(connection, wanted);
  const what = `cache ${name}`;
  const bytes = await fetchSmallBlob(connection, {repository, descriptor: cache.config, signal});
  return offeredBy(bytes, cache.layers, what);
}

/** What a list of results offers, and the manifest beside it has. */
export function offeredBy(
  bytes: Uint8Array,
  named: NonNullable<ReturnType<typeof readCacheManifest>>['layers'],
  what: string,
): Offered {
  const config = parseJson(bytes, what);
  const layers = readLayers(config['layers'], what);
  const {steps, isForeign} = readRecords(config['records'], layers.length, what);
  const offered = new Map<string, OfferedStep>();
  for (const [key, {created, layer: place}] of steps) {
    const layer = layers[place];
    if (layer?.diffId === undefined) continue;
    offered.set(key, {created, diffId: layer.diffId, descriptor: layerNamed(named, layer.blob, what)});
  }
  return {steps: offered, isForeign};
}

async function readImage(connection: Connection, wanted: Wanted): Promise<Offered | undefined> {
  const {repository, signal, name} = wanted;
  const {image} = await resolveImage(connection, wanted);
  const {config, layers} = image.content;
  const bytes = await fetchSmallBlob(connection, {repository, descriptor: config, signal});
  const {diffIds} = parseConfiguration(bytes, `image ${name}`);
  const read = diffIds.length === layers.length ? readInlineCache(bytes, diffIds.length, `image ${name}`) : undefined;
  if (read === undefined) return undefined;
  const offered = new Map<string, OfferedStep>();
  for (const [key, {created, layer}] of read.steps) {
    const [diffId, descriptor] = [diffIds[layer], layers[layer]];
    if (diffId !== undefined && descriptor !== undefined) offered.set(key, {created, diffId, descriptor});
  }
  return {steps: offered, isForeign: read.isForeign};
}
