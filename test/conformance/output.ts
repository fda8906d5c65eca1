import type {OutputChunk} from '../../src/client/demux.ts';

/** Everything that was written, or only to one of the streams. */
export async function textOf(output: AsyncIterable<OutputChunk>, stream?: 'stdout' | 'stderr'): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const chunk of output) if (stream === undefined || chunk.stream === stream) pieces.push(chunk.data);
  return Buffer.concat(pieces).toString();
}
