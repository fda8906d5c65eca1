import {rename} from 'node:fs/promises';
import {encodeOperations} from '../helper/operations.ts';
import type {LayerRecord} from '../image/record.ts';
import {stackLayers} from '../image/stack.ts';
import type {BuildWork} from './context.ts';

/** What a step results in: layers, lowest first. */
export type Snapshot = readonly LayerRecord[];

/** As overlays take them: absolute, top first. */
export function lowersOf({images}: Pick<BuildWork, 'images'>, snapshot: Snapshot): readonly string[] {
  return stackLayers(images.layout, snapshot);
}

/** A directory that a step fills, and one beside it for the kernel. */
export interface Scratch extends AsyncDisposable {
  readonly upper: string;
  readonly work: string;
  /** Makes a layer of what is in it. */
  keep(signal: AbortSignal): Promise<LayerRecord>;
}

export async function openScratch({session}: Pick<BuildWork, 'session'>): Promise<Scratch> {
  const upper = await session.layers.begin();
  const work = await session.layers.begin();
  return {
    upper: upper.path,
    work: work.path,
    keep: (signal) => upper.keep(signal),
    async [Symbol.asyncDispose]() {
      await upper[Symbol.asyncDispose]();
      await work[Symbol.asyncDispose]();
    },
  };
}

/** Makes a layer of a directory that was filled elsewhere under the same root: it moves. */
export async function takeLayer(
  {session}: Pick<BuildWork, 'session'>,
  directory: string,
  signal: AbortSignal,
): Promise<LayerRecord> {
  await using layer = await session.layers.begin();
  await rename(directory, layer.path);
  return await layer.keep(signal);
}

/** The root file system over layers, for the helper: what is written to it goes into the scratch directory. */
export async function rootOperations(
  {containers}: Pick<BuildWork, 'containers'>,
  lowers: readonly string[],
  {upper, work}: Pick<Scratch, 'upper' | 'work'>,
): Promise<Uint8Array> {
  const {rootless} = await containers.machine();
  const options = rootless ? 'volatile,userxattr' : 'volatile';
  return encodeOperations([{kind: 'overlay', upper, work, options, lowers}]);
}
