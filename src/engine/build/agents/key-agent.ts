import type {Duplex} from 'node:stream';
import type {AgentKey} from './private-key.ts';
import {field, number, WireReader} from './wire.ts';

/** Of a message; OpenSSH's own agent has the same limit. */
const longest = 256 * 1024;
const failure = Buffer.of(5);

/**
 * Answers one client as an agent does that has these keys, and takes no others (draft-miller-ssh-agent). Who reads no answers
 * gets no more of them: what runs in a build is not to be trusted with this process's memory.
 */
export function serveKeys(client: Duplex, keys: readonly AgentKey[]): void {
  client.on('error', () => client.destroy());
  // A client that is gone needs no answer.
  answerAll(client, keys).catch(() => client.destroy());
}

async function answerAll(client: Duplex, keys: readonly AgentKey[]): Promise<void> {
  let pending: Buffer = Buffer.alloc(0);
  // Ended by us, once the last answer is written.
  for await (const bytes of client.iterator({destroyOnReturn: false}) as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, bytes]);
    while (pending.length >= 4) {
      const length = pending.readUInt32BE(0);
      if (length === 0 || length > longest) return void client.destroy();
      if (pending.length < 4 + length) break;
      const hasRoom = client.write(field(answer(pending.subarray(4, 4 + length), keys)));
      pending = pending.subarray(4 + length);
      if (!hasRoom) await roomOrEnd(client);
      if (client.destroyed) return;
    }
  }
  client.end();
}

function roomOrEnd(client: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      client.off('drain', done).off('close', done);
      resolve();
    };
    client.on('drain', done).on('close', done);
  });
}

function answer(message: Buffer, keys: readonly AgentKey[]): Buffer {
  try {
    if (message[0] === 11) {
      const listed = keys.flatMap(({blob, comment}) => [field(blob), field(comment)]);
      return Buffer.concat([Buffer.of(12), number(keys.length), ...listed]);
    }
    if (message[0] !== 13) return failure;
    const reader = new WireReader(message.subarray(1));
    const blob = reader.field();
    const key = keys.find((own) => own.blob.equals(blob));
    const data = reader.field();
    return key === undefined ? failure : Buffer.concat([Buffer.of(14), field(key.sign(data, reader.number()))]);
  } catch {
    // A message that ends too early, or a signature that this machine's library does not make.
    return failure;
  }
}
