/** First and last byte, both meant. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads `Range: bytes=…` of content of this size (RFC 9110, section 14). Undefined: all of it, as for several ranges and
 * for other units, which a server may leave out; `unsatisfiable`: no byte of it is meant.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(?:(\d{1,16})-(\d{1,16})?|-(\d{1,16}))$/.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? 'unsatisfiable' : {start: size - length, end: size - 1};
  }
  const start = Number(first);
  const end = last === undefined ? size - 1 : Math.min(Number(last), size - 1);
  // A range that ends before it begins is no range at all.
  if (last !== undefined && Number(last) < start) return undefined;
  return start >= size ? 'unsatisfiable' : {start, end};
}

/** Reads `Content-Range: 0-99` of a chunk, as registries have it: without a unit. Undefined for anything else. */
export function parseChunkRange(header: string): ByteRange | undefined {
  const match = /^(?:bytes[ =])?(\d{1,16})-(\d{1,16})(?:\/(?:\d+|\*))?$/.exec(header.trim());
  if (match === null) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2])];
  return end < start ? undefined : {start, end};
}
