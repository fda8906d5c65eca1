/** Frames on a control socket: 8 bytes `[type,0,0,0, u32 big-endian length]` and the payload (docs/native.md). */
export const frameTypes = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  resize: 4,
  endOfInput: 5,
  exit: 9,
} as const;

export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

export function encodeFrame(type: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const frame = Buffer.alloc(8 + payload.length);
  frame[0] = type;
  frame.writeUInt32BE(payload.length, 4);
  frame.set(payload, 8);
  return frame;
}

/** Splits a byte stream into frames; `start` was read already. A frame cut off by the end is dropped. */
export async function* readFrames(
  source: AsyncIterable<Uint8Array>,
  start: Uint8Array = new Uint8Array(0),
): AsyncGenerator<Frame, void, undefined> {
  let chunks: Uint8Array[] = start.length > 0 ? [start] : [];
  let size = start.length;
  let wanted = 8;
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      while (size < wanted) {
        const next = await iterator.next();
        if (next.done) return;
        chunks.push(next.value);
        size += next.value.length;
      }
      const data = Buffer.concat(chunks);
      let at = 0;
      wanted = 8;
      while (data.length - at >= 8) {
        const length = data.readUInt32BE(at + 4);
        if (data.length - at - 8 < length) {
          wanted = 8 + length;
          break;
        }
        yield {type: data[at] as number, payload: data.subarray(at + 8, at + 8 + length)};
        at += 8 + length;
      }
      chunks = at < data.length ? [data.subarray(at)] : [];
      size = data.length - at;
    }
  } finally {
    await iterator.return?.();
  }
}
