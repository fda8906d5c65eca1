import type {ByteStream} from '../api/endpoint.ts';
import {contentTypes} from '../api/framing.ts';
import {splitTimestamp} from '../api/log-timestamp.ts';
import {decodeOutput, type OutputChunk} from './demux.ts';

/** A line of a log, or a part of a long one; `data` ends in a line feed where the line does. */
export interface LogChunk extends OutputChunk {
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
}

/** Reads an answered log that was asked for with timestamps. */
export async function* decodeLog(log: ByteStream): AsyncGenerator<LogChunk> {
  const pieces =
    log.contentType === contentTypes.multiplexed ? decodeOutput(log.contentType, log.bytes) : rawLines(log.bytes);
  let time = '';
  for await (const piece of pieces) {
    const stamped = splitTimestamp(piece.data);
    // A piece without a time of its own goes on where the one before ended.
    time = stamped?.time ?? time;
    yield {stream: piece.stream, data: stamped?.data ?? piece.data, time};
  }
}

const lineFeed = 10;
/** Where engines split long lines; each part has a timestamp. */
const partSize = 16 * 1024;
const timestampSize = '2026-01-02T03:04:05.000000006Z '.length;

/** A terminal's log has no frames: it is cut after each line feed, and where an engine split a long line. */
async function* rawLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<OutputChunk> {
  let held: Uint8Array = Buffer.alloc(0);
  for await (const piece of bytes) {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    for (let size = partEnd(held); size > 0; size = partEnd(held)) {
      yield {stream: 'stdout', data: held.subarray(0, size)};
      held = held.subarray(size);
    }
  }
  if (held.length > 0) yield {stream: 'stdout', data: held};
}

/** Size of the first whole part, 0 while it is not known. */
function partEnd(held: Uint8Array): number {
  const split = timestampSize + partSize;
  const end = held.indexOf(lineFeed);
  if (end >= 0 && end < split) return end + 1;
  if (held.length >= split + timestampSize && splitTimestamp(held.subarray(split)) !== undefined) return split;
  return end >= 0 ? end + 1 : 0;
}
