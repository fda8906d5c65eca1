/** Bytes that are all there as a stream of them. */
export async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** What comes after the first so many bytes. */
export async function* skipBytes(
  content: AsyncIterable<Uint8Array>,
  count: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  for await (const chunk of content) {
    const rest = chunk.subarray(Math.min(left, chunk.length));
    left -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

/**
 * Cuts a stream of frames, each a header of a fixed size that says how many bytes follow it. Headers are handed on with them.
 * What is left at the end without its frame being whole comes last.
 * @param options.sizeAt how many bytes follow the header at a place; may throw for a header that is none
 */
export async function* cutFrames(
  bytes: AsyncIterable<Uint8Array>,
  {header, sizeAt}: {readonly header: number; readonly sizeAt: (held: Uint8Array, at: number) => number},
): AsyncGenerator<Uint8Array, void, undefined> {
  /** Pieces of a frame that is longer than what is held; joined once it is whole. */
  let waiting: Uint8Array[] = [];
  let missing = header;
  for await (const piece of bytes) {
    waiting.push(piece);
    missing -= piece.length;
    if (missing > 0) continue;
    const held = waiting.length === 1 ? piece : Buffer.concat(waiting);
    let at = 0;
    for (;;) {
      const end = at + header + (held.length - at < header ? 0 : sizeAt(held, at));
      missing = end - held.length;
      if (missing > 0) break;
      yield held.subarray(at, end);
      at = end;
    }
    waiting = at === held.length ? [] : [held.subarray(at)];
  }
  if (waiting.length > 0) yield Buffer.concat(waiting);
}
