import type {Socket} from 'node:net';

/** As large as a create body that a client repeats in its query, as dockerode does. */
export const largestHead = 1024 * 1024;

/**
 * Waits for the whole head of the first request on a connection, and answers it with what came after it. Undefined where
 * the connection ended first or the head is too large: then what was read is back in the socket for the HTTP parser to refuse.
 */
export function peekHead(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let held: Buffer = Buffer.alloc(0);
    const finish = (head: Buffer | undefined) => {
      socket.off('readable', read);
      socket.off('end', ended);
      socket.off('close', ended);
      if (head === undefined && held.length > 0 && !socket.destroyed) socket.unshift(held);
      resolve(head);
    };
    const ended = () => finish(undefined);
    const read = () => {
      for (let piece: Buffer | null = socket.read(); piece !== null; piece = socket.read())
        held = Buffer.concat([held, piece]);
      if (held.includes('\r\n\r\n')) finish(held);
      else if (held.length > largestHead) finish(undefined);
    };
    socket.on('readable', read);
    socket.on('end', ended);
    socket.on('close', ended);
  });
}

const hijackable = /^POST (?:\/v[0-9.]+)?\/(?:containers\/[^/? ]+\/attach|exec\/[^/? ]+\/start)[? ]/;

/** A header of ours: the client did not ask for the upgrade, so it is answered with status 200. */
export const plainHijack = 'x-tscompose-plain-hijack';

/**
 * Clients may turn an attach or exec start into a raw stream without asking for an upgrade. Their bytes after the body are
 * then no HTTP any more, which Node's parser would refuse: with an upgrade asked for in their place it lets go of the socket.
 */
export function withUpgrade(head: Buffer): Buffer {
  const end = head.indexOf('\r\n\r\n');
  const text = head.toString('latin1', 0, end);
  if (!hijackable.test(text) || /\r\nupgrade:/i.test(text)) return head;
  return Buffer.concat([
    head.subarray(0, end),
    Buffer.from(`\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${plainHijack}: 1`),
    head.subarray(end),
  ]);
}
