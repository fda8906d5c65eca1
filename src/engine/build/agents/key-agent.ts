import type {Duplex} from 'node:stream';
import type {AgentKey} from './private-key.ts';
import {field, number, WireReader} from './wire.ts';

/** Of a message; OpenSSH's own agent has the same limit. */
const longest = 256 * 1024;
const failure = Buffer.of(5);

/** Answers one client as an agent does that has these keys, and takes no others (draft-miller-ssh-agent). */
export function serveKeys(client: Duplex, keys: readonly AgentKey[]): void {
  let pending: Buffer = Buffer.alloc(0);
  client.on('error', () => client.destroy());
  client.on('data', (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes]);
    while (pending.length >= 4) {
      const length = pending.readUInt32BE(0);
      if (length === 0 || length > longest) return void client.destroy();
      if (pending.length < 4 + length) return;
      client.write(field(answer(pending.subarray(4, 4 + length), keys)));
      pending = pending.subarray(4 + length);
    }
  });
  client.on('end', () => client.end());
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
