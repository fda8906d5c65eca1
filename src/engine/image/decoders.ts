import {Readable} from 'node:stream';
import {Decompress} from 'fzstd';
import createBzip2 from 'unbzip2-stream';
import {XzReadableStream} from 'xz-decompress';

/**
 * What Node itself cannot decompress, in JavaScript and WebAssembly (docs/decisions/0029): slower than its own. A file of its own in the
 * program (scripts/build.mjs), loaded only when such an archive comes: nothing of ours but this is in it.
 */

/** For a Node before 22.15. */
export async function* decodeZstd(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const ready: Uint8Array[] = [];
  const decoder = new Decompress((chunk) => void ready.push(chunk));
  for await (const chunk of source) {
    decoder.push(chunk);
    yield* ready.splice(0);
  }
  decoder.push(new Uint8Array(0), true);
  yield* ready.splice(0);
}

export async function* decodeXz(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const input = Readable.toWeb(Readable.from(source, {objectMode: false}));
  yield* new XzReadableStream(input as ReadableStream<Uint8Array>) as unknown as AsyncIterable<Uint8Array>;
}

export async function* decodeBzip2(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const ready: Uint8Array[] = [];
  const decoder = createBzip2();
  let failure: {readonly error: unknown} | undefined;
  // It is a stream of the first kind, which does its work within write and end.
  decoder.on('data', (chunk: Uint8Array) => void ready.push(chunk));
  decoder.on('error', (error: unknown) => {
    failure ??= {error};
  });
  for await (const chunk of source) {
    decoder.write(chunk);
    if (failure) throw failure.error;
    yield* ready.splice(0);
  }
  decoder.end();
  if (failure) throw failure.error;
  yield* ready.splice(0);
}
