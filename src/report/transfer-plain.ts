import type {ImageProgress} from '../api/types/image.ts';

/** What each layer of a pull or push comes to is told once, without the bytes in between, as Docker does it. */
export function transferLines(write: (line: string) => void): (line: ImageProgress) => void {
  const last = new Map<string, string>();
  return ({status, id, progressDetail}) => {
    if (status === undefined) return;
    const isCounting = progressDetail?.current !== undefined;
    if (isCounting || (id !== undefined && last.get(id) === status)) return;
    if (id !== undefined) last.set(id, status);
    write(id === undefined ? status : `${id}: ${status}`);
  };
}
