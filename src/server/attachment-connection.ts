import type {Connection} from '../api/endpoint.ts';
import {contentTypes, encodeFrame, frameHeader} from '../api/framing.ts';
import type {Attachment, OutputChunk} from '../engine/engine.ts';

/** A process's streams as a connection: frames, or with a terminal the bytes themselves. */
export function attachmentConnection(attachment: Attachment, tty: boolean): Connection {
  return {
    contentType: outputType(tty),
    readable: encodeOutput(attachment.output, tty),
    write: (data) => attachment.write(data),
    closeWrite: () => attachment.closeInput(),
    destroy: () => attachment.detach(),
  };
}

/** A connection that only tells something. */
export function outputConnection(output: AsyncIterable<OutputChunk>, tty: boolean, stop: () => void): Connection {
  return {
    contentType: outputType(tty),
    readable: encodeOutput(output, tty),
    write: async () => {},
    closeWrite: async () => {},
    destroy: stop,
  };
}

export function outputType(tty: boolean): string {
  return tty ? contentTypes.raw : contentTypes.multiplexed;
}

/** Of each part one piece of bytes, however many frames are in it. */
export async function* encodeParts(
  parts: AsyncIterable<readonly OutputChunk[]>,
  tty: boolean,
): AsyncGenerator<Uint8Array> {
  for await (const chunks of parts)
    yield Buffer.concat(chunks.flatMap(({stream, data}) => (tty ? [data] : [frameHeader(stream, data.length), data])));
}

async function* encodeOutput(output: AsyncIterable<OutputChunk>, tty: boolean): AsyncGenerator<Uint8Array> {
  for await (const {stream, data} of output) yield tty ? data : encodeFrame(stream, data);
}
