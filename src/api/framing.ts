/**
 * Docker's multiplexed stream: frames of an 8-byte header `[stream, 0, 0, 0, length as uint32 big-endian]` and the
 * payload. A terminal's stream is raw, without frames.
 */
export const contentTypes = {
  multiplexed: 'application/vnd.docker.multiplexed-stream',
  raw: 'application/vnd.docker.raw-stream',
} as const;

export interface Frame {
  readonly stream: FrameStream;
  readonly data: Uint8Array;
}

/** `systemError` carries a failure of the engine in-band, and ends the stream. */
export type FrameStream = 'stdin' | 'stdout' | 'stderr' | 'systemError';

const streams: readonly FrameStream[] = ['stdin', 'stdout', 'stderr', 'systemError'];
const headerSize = 8;

export function encodeFrame(stream: FrameStream, data: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(headerSize + data.length);
  frame.writeUInt32BE(streams.indexOf(stream) * 0x1000000, 0);
  frame.writeUInt32BE(data.length, 4);
  frame.set(data, headerSize);
  return frame;
}

/**
 * Decodes frames from bytes that come in pieces of any size. A frame is handed on whole, as it was written; one cut off
 * by the end of the stream is handed on as far as it came. Throws `RangeError` for a header that is none.
 */
export async function* decodeFrames(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const held: Uint8Array[] = [];
  let heldSize = 0;
  let header: {readonly stream: FrameStream; readonly size: number} | undefined;
  for await (const piece of bytes) {
    held.push(piece);
    heldSize += piece.length;
    while (heldSize >= (header?.size ?? headerSize)) {
      const joined = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
      const size = header?.size ?? headerSize;
      const front = joined.subarray(0, size);
      held.splice(0, held.length, joined.subarray(size));
      heldSize -= size;
      if (header === undefined) {
        header = readHeader(front);
      } else {
        yield {stream: header.stream, data: front};
        header = undefined;
      }
    }
  }
  if (header !== undefined && heldSize > 0) yield {stream: header.stream, data: Buffer.concat(held)};
}

function readHeader(bytes: Uint8Array): {readonly stream: FrameStream; readonly size: number} {
  const stream = streams[bytes[0] ?? 255];
  if (stream === undefined || bytes[1] !== 0 || bytes[2] !== 0 || bytes[3] !== 0) {
    throw new RangeError(`not a multiplexed stream: header ${Buffer.from(bytes).toString('hex')}`);
  }
  return {stream, size: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32BE(4)};
}
