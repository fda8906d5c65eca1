import {cutFrames} from '../base/byte-streams.ts';

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
  return Buffer.concat([frameHeader(stream, data.length), data]);
}

export function frameHeader(stream: FrameStream, size: number): Uint8Array {
  const header = Buffer.allocUnsafe(headerSize);
  header.writeUInt32BE(streams.indexOf(stream) * 0x1000000, 0);
  header.writeUInt32BE(size, 4);
  return header;
}

/**
 * Decodes frames from bytes that come in pieces of any size. A frame is handed on whole, as it was written; one cut off
 * by the end of the stream is handed on as far as it came. Throws `RangeError` for a header that is none.
 */
export async function* decodeFrames(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  const sizeAt = (held: Uint8Array, at: number) => readHeader(held, at).size;
  for await (const frame of cutFrames(bytes, {header: headerSize, sizeAt})) {
    // One that is cut off within its header, or right behind it, has nothing to hand on.
    if (frame.length < headerSize) return;
    const {stream, size} = readHeader(frame, 0);
    if (frame.length > headerSize || size === 0) yield {stream, data: frame.subarray(headerSize)};
  }
}

function readHeader(bytes: Uint8Array, at: number): {readonly stream: FrameStream; readonly size: number} {
  const stream = streams[bytes[at] ?? 255];
  if (stream === undefined || bytes[at + 1] !== 0 || bytes[at + 2] !== 0 || bytes[at + 3] !== 0) {
    throw new RangeError(
      `not a multiplexed stream: header ${Buffer.from(bytes.subarray(at, at + headerSize)).toString('hex')}`,
    );
  }
  return {stream, size: new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(4)};
}
