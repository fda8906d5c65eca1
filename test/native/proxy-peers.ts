/** Servers and clients of the proxy's tests, to be run by peers: these functions see nothing but their arguments. */

export interface Transfer {
  readonly bytes: number;
  /** SHA-256 of what was received, in hex. */
  readonly hash: string;
  readonly ended: boolean;
  readonly error: string;
  /** Of what was sent. */
  readonly sentHash: string;
}

/**
 * A TCP server. `echo`: sends back as it comes; `after`: sends `size` bytes when the client has ended its side; `first`:
 * sends `size` bytes, ends its side, and reads on; `deaf`: does not read until `server.resume` is set; `reset`: resets
 * after the first byte. What the last connection received is in `globalThis['received PORT']`.
 */
export function serveTcp(
  kind: 'echo' | 'after' | 'first' | 'deaf' | 'reset',
  port: number,
  size = 0,
  host = '127.0.0.1',
): Promise<void> {
  const net = process.getBuiltinModule('node:net');
  const crypto = process.getBuiltinModule('node:crypto');
  const store = globalThis as unknown as Record<string, unknown>;
  const server = net.createServer({allowHalfOpen: true}, (socket) => {
    const hash = crypto.createHash('sha256');
    const sent = crypto.createHash('sha256');
    const received = {bytes: 0, hash: '', ended: false, error: '', sentHash: ''};
    store[`received ${port}`] = received;
    const send = (): void => {
      for (let rest = size; rest > 0; rest -= 65_536) {
        const piece = crypto.randomBytes(Math.min(rest, 65_536));
        sent.update(piece);
        socket.write(piece);
      }
      received.sentHash = sent.digest('hex');
      socket.end();
    };
    socket.on('error', (error: NodeJS.ErrnoException) => {
      received.error = String(error.code);
    });
    socket.on('data', (data) => {
      received.bytes += data.length;
      hash.update(data);
      if (kind === 'echo' && !socket.write(data)) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
      if (kind === 'reset') socket.resetAndDestroy();
    });
    socket.on('end', () => {
      received.ended = true;
      received.hash = hash.digest('hex');
      if (kind === 'after') send();
      else socket.end();
    });
    if (kind === 'first') send();
    if (kind === 'deaf') {
      socket.pause();
      store[`resume ${port}`] = () => socket.resume();
    }
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, host, 1024, () => resolve());
  });
}

export function receivedBy(port: number): Transfer {
  return (globalThis as unknown as Record<string, Transfer>)[`received ${port}`] as Transfer;
}

export function resumeServer(port: number): void {
  (globalThis as unknown as Record<string, () => void>)[`resume ${port}`]?.();
}

/** A TCP client: sends `size` random bytes, ends its side (unless `keep`), and reads until the end. */
export function sendTcp(
  port: number,
  size: number,
  {host = '127.0.0.1', keep = false, waitMs = 50_000} = {},
): Promise<Transfer> {
  const crypto = process.getBuiltinModule('node:crypto');
  const socket = process.getBuiltinModule('node:net').connect({port, host, allowHalfOpen: true});
  const hash = crypto.createHash('sha256');
  const sent = crypto.createHash('sha256');
  let bytes = 0;
  return new Promise((resolve) => {
    const done = (ended: boolean, error: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({bytes, hash: hash.digest('hex'), ended, error, sentHash: sent.digest('hex')});
    };
    const timer = setTimeout(() => done(false, 'timeout'), waitMs);
    socket.on('error', (error: NodeJS.ErrnoException) => done(false, String(error.code)));
    socket.on('data', (data) => {
      bytes += data.length;
      hash.update(data);
    });
    socket.on('end', () => done(true, ''));
    socket.on('connect', async () => {
      for (let rest = size; rest > 0; rest -= 65_536) {
        const piece = crypto.randomBytes(Math.min(rest, 65_536));
        sent.update(piece);
        if (!socket.write(piece)) await new Promise((next) => socket.once('drain', next));
      }
      if (!keep) socket.end();
    });
  });
}

/** Opens connections, sends a byte over each and waits for it to come back; they stay in `globalThis.open`. */
export async function openMany(port: number, count: number): Promise<number> {
  const net = process.getBuiltinModule('node:net');
  const store = globalThis as unknown as {open?: import('node:net').Socket[]};
  const sockets = await Promise.all(
    Array.from(
      {length: count},
      () =>
        new Promise<import('node:net').Socket>((resolve, reject) => {
          const socket = net.connect({port, host: '127.0.0.1', allowHalfOpen: true});
          socket.on('error', reject);
          socket.on('connect', () => socket.write('x'));
          socket.once('data', () => resolve(socket));
        }),
    ),
  );
  store.open = [...(store.open ?? []), ...sockets];
  return sockets.length;
}

/** Ends our side of half of the open connections, or closes all of them. */
export function endOpen(how: 'half' | 'all'): number {
  const store = globalThis as unknown as {open?: import('node:net').Socket[]};
  const sockets = store.open ?? [];
  for (const [index, socket] of sockets.entries()) {
    if (how === 'all') socket.destroy();
    else if (index % 2 === 0) socket.end();
  }
  if (how === 'all') store.open = [];
  return sockets.length;
}

/** A UDP server that answers `<port of the sender> <length>:` and what it got. */
export function serveUdp(port: number, host = '127.0.0.1'): Promise<void> {
  const socket = process.getBuiltinModule('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (data, from) => {
    socket.send(Buffer.concat([Buffer.from(`${from.port} ${data.length}:`), data]), from.port, from.address);
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.bind(port, host, () => resolve());
  });
}

/** Sends datagrams from one socket, each after the answer to the one before; null where none came in time. */
export async function sendUdp(
  host: string,
  port: number,
  sizes: readonly number[],
  waitMs = 20_000,
): Promise<readonly ({readonly head: string; readonly length: number; readonly from: string} | null)[]> {
  const socket = process.getBuiltinModule('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const answers: ({head: string; length: number; from: string} | null)[] = [];
  for (const size of sizes) {
    const answer = new Promise<{head: string; length: number; from: string} | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), waitMs);
      socket.once('message', (data, from) => {
        clearTimeout(timer);
        const colon = data.indexOf(':');
        resolve({head: data.toString('latin1', 0, colon), length: data.length - colon - 1, from: from.address});
      });
    });
    socket.send(Buffer.alloc(size, 'u'), port, host);
    answers.push(await answer);
    socket.removeAllListeners('message');
  }
  socket.close();
  return answers;
}
