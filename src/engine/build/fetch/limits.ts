import {TscomposeError} from '../../../base/errors.ts';

/** How much is taken from whoever is asked: what comes from outside may be made to fill the disk. */
export interface FetchLimits {
  /** Bytes of one file that is fetched, and of what a repository sends at once. */
  readonly fetched: number;
  /** Bytes of files that come of it. */
  readonly unpacked: number;
  /** Files of a repository, those of its submodules among them. */
  readonly files: number;
  /** Submodules, those of submodules among them. */
  readonly submodules: number;
}

const gibibyte = 1024 ** 3;

export const fetchLimits: FetchLimits = {
  fetched: 8 * gibibyte,
  unpacked: 32 * gibibyte,
  files: 2_000_000,
  submodules: 256,
};

/** Throws `full()` once more comes than that. */
export async function* atMost(
  content: AsyncIterable<Uint8Array>,
  full: () => TscomposeError,
  most: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    if (bytes > most) throw full();
    yield chunk;
  }
}

export function tooMuch(what: string, most: number): TscomposeError {
  return new TscomposeError('exhausted', `${what} has more than ${most} bytes, which is more than builds take`, {
    hint: 'fetch it yourself, and name the directory',
  });
}
