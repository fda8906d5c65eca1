/** Questions, to be run by a peer: these functions see nothing but their arguments. */

/** Sends messages over UDP from one socket; resolves with the first reply, or null after `waitMs`. */
export function askUdp(
  messages: readonly Uint8Array[],
  waitMs = 30_000,
  address = '127.0.0.11',
  port = 53,
): Promise<Uint8Array | null> {
  const socket = process.getBuiltinModule('node:dgram').createSocket('udp4');
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(null), waitMs);
    const done = (reply: Uint8Array | null) => {
      clearTimeout(timer);
      socket.close();
      resolve(reply);
    };
    socket.on('message', done);
    socket.on('error', reject);
    for (const message of messages) socket.send(message, port, address);
  });
}

/** Sends bytes over TCP, in pieces of the given size; resolves with what came back until the end or `count` messages. */
export function askTcp(
  message: Uint8Array,
  {count = 1, piece = 65_536, waitMs = 60_000, halfClose = false} = {},
): Promise<{readonly messages: Uint8Array[]; readonly closed: boolean}> {
  const socket = process.getBuiltinModule('node:net').connect({port: 53, host: '127.0.0.11', allowHalfOpen: true});
  let got = Buffer.alloc(0);
  const messages: Uint8Array[] = [];
  return new Promise((resolve) => {
    const done = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({messages, closed});
    };
    const timer = setTimeout(() => done(false), waitMs);
    socket.on('error', () => done(true));
    socket.on('end', () => done(true));
    socket.on('data', (data) => {
      got = Buffer.concat([got, data]);
      while (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) {
        const end = 2 + got.readUInt16BE(0);
        messages.push(got.subarray(2, end));
        got = got.subarray(end);
      }
      if (messages.length >= count) done(false);
    });
    socket.on('connect', async () => {
      for (let start = 0; start < message.length; start += piece) {
        socket.write(message.subarray(start, start + piece));
        if (piece < message.length) await new Promise((next) => setTimeout(next, 5));
      }
      if (halfClose) socket.end();
    });
  });
}

/** Asks Node's own resolver (c-ares). Resolves with the records or the error's code. */
export async function resolveWith(
  method: 'resolve4' | 'resolve6' | 'resolveMx' | 'reverse',
  name: string,
): Promise<string[] | string> {
  const {Resolver} = process.getBuiltinModule('node:dns/promises');
  const resolver = new Resolver({timeout: 20_000, tries: 2});
  resolver.setServers(['127.0.0.11']);
  try {
    return (await resolver[method](name)) as string[];
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
