import {unlessAborted} from '../image/abort.ts';
import type {BlobSource} from '../image/blob-source.ts';

export interface LaterBlob {
  readonly source: BlobSource;
  /** It comes from here. */
  arrive(source: BlobSource): void;
  /** It will not come. */
  fail(error: unknown): void;
}

/** A blob that nobody has begun to bring yet: whoever reads it waits. */
export function laterBlob({digest, size}: {readonly digest: string; readonly size: number}): LaterBlob {
  let arrived: BlobSource | undefined;
  let settle: {readonly resolve: (source: BlobSource) => void; readonly reject: (error: unknown) => void} | undefined;
  const arriving = new Promise<BlobSource>((resolve, reject) => {
    settle = {resolve, reject};
  });
  const whole = arriving.then((source) => source.whole);
  // Whoever reads it is told; where nobody does, nobody needs to know.
  whole.catch(() => undefined);
  return {
    source: {
      digest,
      size,
      whole,
      get path() {
        return arrived?.path ?? '';
      },
      get isWhole() {
        return arrived?.isWhole ?? false;
      },
      async *read(signal) {
        yield* (await (signal ? unlessAborted(arriving, signal) : arriving)).read(signal);
      },
    },
    arrive(source) {
      arrived = source;
      settle?.resolve(source);
    },
    fail: (error) => settle?.reject(error),
  };
}
