import type {Writable} from 'node:stream';

/** Resolves once a stream takes more, or never will. Leaves no listener behind. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    if (stream.destroyed) return resolve();
    stream.on('drain', done);
    stream.on('close', done);
  });
}
