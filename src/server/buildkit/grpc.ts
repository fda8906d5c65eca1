import {cutFrames} from '../../base/byte-streams.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Message, MessageInput, MessageName} from './messages.ts';

/** Status codes of gRPC, those that are used here (grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export const statusCodes = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

const prefixSize = 5;
/** Larger ones are no message of these services: files come in pieces of 32 KiB, logs line by line. */
const largestMessage = 16 * 1024 * 1024;

/** Messages as they travel. */
export interface Wire {
  /** A message with its prefix: one byte for the compression (none), four for the length. */
  frame<N extends MessageName>(name: N, value: MessageInput<N>): Uint8Array;
  /** Throws `invalid` for what is no message, or a compressed one: no compression was offered. */
  read<N extends MessageName>(name: N, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Message<N>, void, undefined>;
}

/** The code of messages is loaded with the first connection: few engines are asked for it. */
export async function loadWire(): Promise<Wire> {
  const {decode, encode} = await import('./messages.ts');
  return {
    frame(name, value) {
      const message = encode(name, value);
      const bytes = Buffer.allocUnsafe(prefixSize + message.length);
      bytes.writeUInt8(0, 0);
      bytes.writeUInt32BE(message.length, 1);
      bytes.set(message, prefixSize);
      return bytes;
    },
    async *read(name, bytes) {
      for await (const message of cutFrames(bytes, {header: prefixSize, sizeAt})) {
        // The end of a connection in the middle of a message is told by its status.
        if (message.length < prefixSize || message.length < prefixSize + sizeAt(message, 0)) return;
        try {
          yield decode(name, message.subarray(prefixSize));
        } catch (error) {
          throw new TscomposeError('invalid', `a message of gRPC is no ${name}`, {cause: error});
        }
      }
    },
  };
}

function sizeAt(bytes: Uint8Array, at: number): number {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 1);
  if (bytes[at] !== 0) throw new TscomposeError('invalid', 'a message of gRPC is compressed');
  if (size > largestMessage) throw new TscomposeError('invalid', `a message of gRPC has ${size} bytes`);
  return size;
}

/** The text of a status as a header: percent-encoded (gRPC over HTTP/2, "Responses"). */
export function encodeStatusMessage(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^\x20-\x24\x26-\x7e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

export function decodeStatusMessage(text: string): string {
  const bytes = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
