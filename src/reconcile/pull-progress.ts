import type {ImageProgress} from '../api/types/image.ts';

/** Tells of all layers of an image together, each time that it says something else: `34.5 MB of 120 MB`. */
export function createPullProgress(tell: (detail: string) => void): (line: ImageProgress) => void {
  const layers = new Map<string, {readonly current: number; readonly total: number}>();
  let last = '';
  return ({status, id, progressDetail}) => {
    if (id === undefined || progressDetail === undefined) return;
    const {current, total} = progressDetail;
    const known = layers.get(id);
    if (status === 'Downloading' && current !== undefined && total !== undefined) layers.set(id, {current, total});
    else if (known !== undefined && status === 'Download complete') layers.set(id, {...known, current: known.total});
    const all = [...layers.values()];
    if (all.length === 0) return;
    const sum = (of: 'current' | 'total') => megabytes(all.reduce((bytes, layer) => bytes + layer[of], 0));
    const detail = `${sum('current')} of ${sum('total')} MB`;
    if (detail !== last) tell(detail);
    last = detail;
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
