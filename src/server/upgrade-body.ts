import type {Socket} from 'node:net';
import {TscomposeError} from '../base/errors.ts';

/** Far more than the options of an exec. */
const largestBody = 1024 * 1024;

/**
 * Reads the body of a request that asks for an upgrade: Node hands its bytes over unread, and what is left of them would
 * reach the process as standard input. Bytes after the body go back into the socket. Throws `invalid`.
 */
export async function readUpgradeBody(
  socket: Socket,
  first: Buffer,
  headers: {readonly 'content-length'?: string | undefined; readonly 'transfer-encoding'?: string | undefined},
): Promise<Buffer> {
  const chunked = /\bchunked\b/i.test(headers['transfer-encoding'] ?? '');
  const length = Number(headers['content-length'] ?? 0);
  if (!chunked && (!Number.isInteger(length) || length < 0 || length > largestBody)) {
    throw new TscomposeError('invalid', `the length of the request body is not valid: ${headers['content-length']}`);
  }
  let held = first;
  for (;;) {
    const found = chunked
      ? decodeChunks(held)
      : held.length >= length
        ? {body: held.subarray(0, length), size: length}
        : undefined;
    if (found !== undefined) {
      if (held.length > found.size) socket.unshift(held.subarray(found.size));
      return found.body;
    }
    if (held.length > 2 * largestBody) throw new TscomposeError('invalid', 'the request body is too large');
    held = Buffer.concat([held, await nextPiece(socket)]);
  }
}

/** The whole chunked body at the start of the bytes (RFC 9112, 7.1) and the size it takes, or undefined while it is not all there. */
function decodeChunks(bytes: Buffer): {readonly body: Buffer; readonly size: number} | undefined {
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const line = bytes.toString('latin1', at, lineEnd);
    const size = /^([0-9a-fA-F]{1,7})\s*(;|$)/.exec(line)?.[1];
    if (size === undefined) throw new TscomposeError('invalid', 'the chunked request body is not valid');
    const length = Number.parseInt(size, 16);
    at = lineEnd + 2;
    if (length === 0) return endOfTrailers(bytes, at, pieces);
    if (bytes.length < at + length + 2) return undefined;
    pieces.push(bytes.subarray(at, at + length));
    at += length + 2;
  }
}

function endOfTrailers(
  bytes: Buffer,
  from: number,
  pieces: readonly Buffer[],
): {readonly body: Buffer; readonly size: number} | undefined {
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    if (lineEnd === at) return {body: Buffer.concat(pieces), size: lineEnd + 2};
    at = lineEnd + 2;
  }
}

function nextPiece(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      socket.off('readable', read);
      socket.off('end', ended);
      socket.off('close', ended);
    };
    const ended = () => {
      stop();
      reject(new TscomposeError('invalid', 'the request ended before its body was complete'));
    };
    const read = () => {
      const piece: Buffer | null = socket.read();
      if (piece === null) return;
      stop();
      resolve(piece);
    };
    socket.on('readable', read);
    socket.on('end', ended);
    socket.on('close', ended);
    read();
  });
}
