import {PassThrough, type Readable} from 'node:stream';
import {contentTypes, decodeFrames} from '../api/framing.ts';
import {TscomposeError} from '../base/errors.ts';

/** A piece of output. With a terminal everything is `stdout`. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

/** Tells standard output and error apart where the content type says that the stream is multiplexed. */
export async function* decodeOutput(
  contentType: string,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<OutputChunk> {
  if (contentType !== contentTypes.multiplexed) {
    for await (const data of bytes) yield {stream: 'stdout', data};
    return;
  }
  for await (const frame of decodeFrames(bytes)) {
    if (frame.stream === 'systemError')
      throw new TscomposeError('internal', Buffer.from(frame.data).toString('utf8').trim());
    yield {stream: frame.stream === 'stderr' ? 'stderr' : 'stdout', data: frame.data};
  }
}

/**
 * Splits output into two streams. What is not read of one of them is kept in memory, so that a caller who reads only one
 * never stands still.
 */
export function splitOutput(output: AsyncIterable<OutputChunk>): {
  readonly stdout: Readable;
  readonly stderr: Readable;
} {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const pump = async () => {
    try {
      for await (const chunk of output) (chunk.stream === 'stdout' ? stdout : stderr).write(chunk.data);
      stdout.end();
      stderr.end();
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      stdout.destroy(reason);
      stderr.destroy(reason);
    }
  };
  void pump();
  return {stdout, stderr};
}
