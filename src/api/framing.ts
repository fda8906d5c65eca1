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
  /** Pieces of a frame that is longer than what is held; joined once it is whole. */
  let waiting: Uint8Array[] = [];
  let missing = 0;
  for await (const piece of bytes) {
    waiting.push(piece);
    missing -= piece.length;
    if (missing > 0) continue;
    const held = waiting.length === 1 ? piece : Buffer.concat(waiting);
    let at = 0;
    for (;;) {
      const header = held.length - at < headerSize ? undefined : readHeader(held, at);
      const end = at + headerSize + (header?.size ?? 0);
      missing = end - held.length;
      if (header === undefined || missing > 0) break;
      yield {stream: header.stream, data: held.subarray(at + headerSize, end)};
      at = end;
    }
    waiting = at === held.length ? [] : [held.subarray(at)];
  }
  const cut = Buffer.concat(waiting);
  if (cut.length > headerSize) yield {stream: readHeader(cut, 0).stream, data: cut.subarray(headerSize)};
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
