import type {Writable} from 'node:stream';

/** Writes a chunk and waits while the stream is full. False once the stream is closed: nobody reads any more. */
export async function writeChunk(stream: Writable, chunk: Uint8Array): Promise<boolean> {
  if (stream.destroyed) return false;
  if (!stream.write(chunk)) {
    await new Promise<void>((resolve) => {
      const done = () => {
        stream.off('drain', done);
        stream.off('close', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
      if (stream.destroyed) done();
    });
  }
  return !stream.destroyed;
}
