import type {ImageProgress} from '../api/types/image.ts';
import {countTransfer, type TransferredLayers} from './transfer-totals.ts';

/** An image on its way from or to a registry. */
export interface TransferView {
  readonly image: string;
  readonly layers: TransferredLayers;
  /** What is told of the image as a whole. */
  readonly notes: readonly string[];
  readonly startedAt: number;
  /** Of the latest line. */
  readonly toldAt: number;
}

/** With one more line of the transfer of an image. */
export function reduceTransfers(
  transfers: readonly TransferView[],
  {image, progress, time}: {readonly image: string; readonly progress: ImageProgress; readonly time: number},
): readonly TransferView[] {
  const index = transfers.findIndex((transfer) => transfer.image === image);
  const known = transfers[index] ?? {image, layers: {}, notes: [], startedAt: time, toldAt: time};
  const {status, id, progressDetail} = progress;
  const isNote = status !== undefined && progressDetail === undefined;
  const note = isNote ? [id === undefined ? status : `${id}: ${status}`] : [];
  const next = {
    ...known,
    layers: countTransfer(known.layers, progress),
    notes: [...known.notes, ...note],
    toldAt: time,
  };
  return index < 0 ? [...transfers, next] : transfers.with(index, next);
}
