import type {ImageProgress} from '../api/types/image.ts';

/** Bytes of all layers of an image together, as far as they are known. */
export interface TransferTotals {
  readonly current: number;
  readonly total: number;
  /** Layers that are all there, of those that there are. */
  readonly done: number;
  readonly layers: number;
}

interface LayerBytes {
  /** The engine's word for what goes on with it. */
  readonly status: string;
  readonly current: number;
  readonly total: number;
  readonly done: boolean;
}

/** What each layer of a pull or push has come to, by its id. */
export type TransferredLayers = Readonly<Record<string, LayerBytes>>;

const moving = new Set(['Downloading', 'Pushing']);
/** All bytes are where they are wanted; what follows is work on this machine. */
const moved = new Set([
  'Download complete',
  'Extracting',
  'Pull complete',
  'Already exists',
  'Pushed',
  'Layer already exists',
]);

/** With one more line of a pull or push; the same value where it is about no layer. */
export function countTransfer(
  layers: TransferredLayers,
  {status, id, progressDetail}: ImageProgress,
): TransferredLayers {
  if (id === undefined || progressDetail === undefined || status === undefined) return layers;
  const known = layers[id] ?? {status, current: 0, total: 0, done: false};
  const {current, total} = progressDetail;
  if (moving.has(status) && current !== undefined && total !== undefined)
    return {...layers, [id]: {status, current, total, done: false}};
  if (moved.has(status) || status.startsWith('Mounted from'))
    return {...layers, [id]: {...known, status, current: known.total, done: true}};
  return {...layers, [id]: {...known, status}};
}

export function transferTotals(layers: TransferredLayers): TransferTotals {
  const all = Object.values(layers);
  const sum = (of: 'current' | 'total') => all.reduce((bytes, layer) => bytes + layer[of], 0);
  return {current: sum('current'), total: sum('total'), done: all.filter(({done}) => done).length, layers: all.length};
}

/** `34.5 of 120.0 MB`; empty before a size is known. */
export function totalsText({current, total}: Pick<TransferTotals, 'current' | 'total'>): string {
  return total === 0 ? '' : `${megabytes(current)} of ${megabytes(total)} MB`;
}

/** Tells of all layers of an image together, each time that it says something else. */
export function createTransferDetail(tell: (detail: string) => void): (line: ImageProgress) => void {
  let layers: TransferredLayers = {};
  let last = '';
  return (line) => {
    layers = countTransfer(layers, line);
    const detail = totalsText(transferTotals(layers));
    if (detail !== '' && detail !== last) tell(detail);
    last = detail;
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
