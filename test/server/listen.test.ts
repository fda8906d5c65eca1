import {chmodSync, existsSync, mkdtempSync, rmSync, statSync} from 'node:fs';
import {Agent, type IncomingMessage, request} from 'node:http';
import {connect, createServer as createNetServer, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Engine} from '../../src/engine/engine.ts';
import {createServer} from '../../src/server/handle.ts';
import {type Listener, listen} from '../../src/server/listen.ts';
import {type Cat, cat, fakeEngine, inspected, inspectedExec, notFound} from './fake-engine.ts';

let directory: string;
let socketPath: string;
const open: (Listener | Socket)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-listen-'));
  chmodSync(directory, 0o755);
  socketPath = join(directory, 'engine.sock');
});

afterEach(async () => {
  for (const one of open.splice(0)) await ('close' in one ? one.close() : one.destroy());
  rmSync(directory, {recursive: true});
});

type Parts = Parameters<typeof fakeEngine>[0];

async function serve(parts: Parts): Promise<Listener> {
  const listener = await listen(createServer(fakeEngine(parts), {version: '1'}), {socketPath});
  open.push(listener);
  return listener;
}

/** A container and an exec whose process is this one. */
function withProcess(process: Cat, tty = false): Parts {
  return {
    containers: {inspect: async () => inspected({Tty: tty}), attach: async () => process},
    execs: {inspect: async () => inspectedExec(tty), start: async (_, {detach}) => (detach ? undefined : process)},
  };
}

/** A connection on which bytes are written and read as they are. */
class Raw {
  readonly socket: Socket;
  #received = '';
  #ended = false;
  #wake = () => {};

  constructor(path: string) {
    this.socket = connect({path, allowHalfOpen: true});
    open.push(this.socket);
    this.socket.on('data', (data: Buffer) => {
      this.#received += data.toString('latin1');
      this.#wake();
    });
    const ended = () => {
      this.#ended = true;
      this.#wake();
    };
    this.socket.on('end', ended);
    this.socket.on('close', ended);
    this.socket.on('error', ended);
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Everything up to and with this text, taken off. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.#received.indexOf(text);
      if (at >= 0) {
        const found = this.#received.slice(0, at + text.length);
        this.#received = this.#received.slice(at + text.length);
        return found;
      }
      if (this.#ended) throw new Error(`the connection ended before "${text}"; received: ${this.#received}`);
      await this.#more();
    }
  }

  async rest(): Promise<string> {
    while (!this.#ended) await this.#more();
    return this.#received;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

const stdout = (text: string) => `\x01\0\0\0\0\0\0${String.fromCharCode(text.length)}${text}`;
const stderr = (text: string) => `\x02${stdout(text).slice(1)}`;
const granted =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
const upgradeHead = (path: string, more = '') =>
  `POST ${path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${more}\r\n`;

describe('upgraded connections', () => {
  it('pass bytes both ways, and the end of the input ends only the input', async () => {
    const process = cat('welcome');
    await serve(withProcess(process));
    const raw = new Raw(socketPath).send(upgradeHead('/v1.51/containers/web/attach?stream=1&stdin=1&stdout=1'));
    expect(await raw.until('\r\n\r\n')).toBe(granted);
    expect(await raw.until('welcome')).toBe(stdout('welcome'));
    raw.send('ping');
    expect(await raw.until('ping')).toBe(stdout('ping'));
    raw.socket.end();
    expect(await raw.rest()).toBe(stderr('bye'));
    expect(process.written).toEqual(['ping']);
  });

  it.each([
    ['with a length', 'Content-Type: application/json\r\nContent-Length: 16\r\n', '{"Detach":false}'],
    [
      'in chunks',
      'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n',
      '6\r\n{"Deta\r\na\r\nch":false}\r\n0\r\n\r\n',
    ],
    [
      'in chunks with trailers',
      'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n',
      '2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n',
    ],
  ])('keep a body %s out of the standard input', async (_, headers, body) => {
    const process = cat();
    await serve(withProcess(process));
    const raw = new Raw(socketPath).send(`${upgradeHead('/exec/e1/start', headers)}${body}input`);
    expect(await raw.until('\r\n\r\n')).toBe(granted);
    expect(await raw.until('input')).toBe(stdout('input'));
    raw.socket.end();
    await raw.rest();
    expect(process.written).toEqual(['input']);
  });

  it('wait for a body that comes byte by byte', async () => {
    const process = cat();
    await serve(withProcess(process));
    const raw = new Raw(socketPath);
    raw.socket.setNoDelay(true);
    for (const byte of `${upgradeHead('/exec/e1/start', 'Content-Type: application/json\r\nContent-Length: 2\r\n')}{}x`) {
      raw.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await raw.until(granted);
    expect(await raw.until('x')).toBe(stdout('x'));
  });

  it('of a terminal are raw', async () => {
    const process = cat('$ ');
    await serve(withProcess(process, true));
    const raw = new Raw(socketPath).send(upgradeHead('/containers/web/attach?stream=1&stdin=1&stdout=1'));
    expect(await raw.until('\r\n\r\n')).toContain('Content-Type: application/vnd.docker.raw-stream\r\n');
    expect(await raw.until('$ ')).toBe('$ ');
  });

  it('are declined with an error of the API', async () => {
    await serve({
      containers: {
        inspect: async (reference) => {
          throw notFound(reference);
        },
      },
    });
    const raw = new Raw(socketPath).send(upgradeHead('/containers/web/attach?stream=1'));
    const answer = await raw.rest();
    expect(answer).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(answer).toContain('\r\nx-tscompose-error-kind: notFound\r\n');
    expect(answer).toMatch(/\r\n\r\n\{"message":"no such container: web"\}$/);
  });

  it('are not granted to a detached exec', async () => {
    await serve(withProcess(cat()));
    const raw = new Raw(socketPath).send(
      `${upgradeHead('/exec/e1/start', 'Content-Type: application/json\r\nContent-Length: 15\r\n')}{"Detach":true}`,
    );
    expect(await raw.rest()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\ncontent-length: 0\r\n\r\n$/);
  });

  it('let go of the process when the client is gone', async () => {
    const process = cat('welcome');
    await serve(withProcess(process));
    const raw = new Raw(socketPath).send(upgradeHead('/containers/web/attach?stream=1&stdin=1&stdout=1'));
    await raw.until('welcome');
    raw.socket.destroy();
    await expect.poll(() => process.detached).toBe(true);
  });
});

describe('raw streams without an upgrade', () => {
  it('take what follows the body as input', async () => {
    const process = cat();
    await serve(withProcess(process));
    const body = '{"Detach":false,"Tty":false}';
    const raw = new Raw(socketPath).send(
      `POST /exec/e1/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(await raw.until('\r\n\r\n')).toBe(
      'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n',
    );
    // What an HTTP parser would take for a request.
    raw.send('GET / HTTP/1.1\r\n\r\n');
    expect(await raw.until('\r\n\r\n')).toBe(stdout('GET / HTTP/1.1\r\n\r\n'));
    raw.socket.end();
    expect(await raw.rest()).toBe(stderr('bye'));
  });

  it('are errors with a status where the process is not there', async () => {
    await serve({
      containers: {
        inspect: async (reference) => {
          throw notFound(reference);
        },
      },
    });
    const raw = new Raw(socketPath).send(
      'POST /containers/web/attach?stream=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    );
    expect(await raw.rest()).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  });
});

describe('plain requests', () => {
  const ask = (options: {
    path: string;
    method?: string;
    headers?: Record<string, string>;
    body?: string;
    agent?: Agent;
  }) =>
    new Promise<{message: IncomingMessage; text: string}>((resolve, reject) => {
      const {body, ...rest} = options;
      const sent = request({socketPath, method: 'GET', ...rest}, (message) => {
        let text = '';
        message.setEncoding('utf8');
        message.on('data', (data: string) => {
          text += data;
        });
        message.on('end', () => resolve({message, text}));
        message.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });

  it('may repeat the whole body in their query', async () => {
    await serve({containers: {create: async (body) => ({Id: String(body.Env?.length), Warnings: []})}});
    const body = JSON.stringify({
      Image: 'redis',
      Env: Array.from({length: 3000}, (_, index) => `VARIABLE_${index}=${'x'.repeat(20)}`),
    });
    const {message, text} = await ask({
      method: 'POST',
      path: `/containers/create?name=web&Env=${encodeURIComponent(body)}`,
      headers: {'Content-Type': 'application/json'},
      body,
    });
    expect(message.statusCode).toBe(201);
    expect(JSON.parse(text)).toEqual({Id: '3000', Warnings: []});
  });

  it('are refused with a head that is too large', async () => {
    await serve({});
    const answer = await new Raw(socketPath).send(`GET /_ping HTTP/1.1\r\nX-Large: ${'x'.repeat(1_200_000)}`).rest();
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('are refused where they are no HTTP', async () => {
    await serve({});
    expect(await new Raw(socketPath).send('SSH-2.0-OpenSSH\r\n\r\n').rest()).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\{"message":"the request is not valid HTTP"\}$/,
    );
  });

  it('are answered on connections that a client wants to keep', async () => {
    await serve({system: {version: async () => ({Version: '1'}) as never}});
    const agent = new Agent({keepAlive: true, maxSockets: 1});
    for (let round = 0; round < 3; round++) expect((await ask({path: '/version', agent})).text).toBe('{"Version":"1"}');
    agent.destroy();
  });

  it('get their headers before a value that comes later', async () => {
    let exit = (_: {StatusCode: number}) => {};
    const wait: Engine['containers']['wait'] = (_reference, _condition, _signal, onReady) => {
      onReady?.();
      return new Promise((resolve) => {
        exit = resolve;
      });
    };
    await serve({containers: {inspect: async () => inspected(), wait}});
    const raw = new Raw(socketPath).send('POST /v1.51/containers/web/wait HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await raw.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    exit({StatusCode: 7});
    expect(await raw.rest()).toContain('{"StatusCode":7}');
  });

  it('without a body have a length and no body', async () => {
    await serve({containers: {start: async () => {}}});
    const start = await ask({method: 'POST', path: '/containers/web/start'});
    expect(start.message.statusCode).toBe(204);
    const head = await ask({method: 'HEAD', path: '/_ping'});
    expect(head.message.headers).toMatchObject({'content-length': '0', 'api-version': '1.51'});
  });

  it('are aborted when the client is gone', async () => {
    let aborted = false;
    const wait: Engine['containers']['wait'] = (_reference, _condition, signal, onReady) => {
      onReady?.();
      return new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('aborted'));
        });
      });
    };
    await serve({containers: {inspect: async () => inspected(), wait}});
    const raw = new Raw(socketPath).send('POST /containers/web/wait HTTP/1.1\r\nHost: x\r\n\r\n');
    await raw.until('\r\n\r\n');
    raw.socket.destroy();
    await expect.poll(() => aborted).toBe(true);
  });

  it('tell that nothing is kept of a log before they begin', async () => {
    const HostConfig = {LogConfig: {Type: 'none', Config: {}}};
    await serve({containers: {inspect: async () => ({...inspected(), HostConfig})}});
    const {message, text} = await ask({path: '/containers/web/logs?stdout=1'});
    expect(message.statusCode).toBe(501);
    expect(JSON.parse(text)).toEqual({message: 'configured logging driver does not support reading'});
  });

  it('break off where a stream fails', async () => {
    await serve({
      containers: {
        inspect: async () => inspected(),
        logs: async function* () {
          yield [{stream: 'stdout', data: Buffer.from('one'), time: '2026-01-02T03:04:05Z'}];
          throw new Error('the disk is gone');
        },
      },
    });
    await expect(ask({path: '/containers/web/logs?stdout=1'})).rejects.toMatchObject({code: 'ECONNRESET'});
  });
});

describe('the socket', () => {
  it('is for its owner alone, and goes with the listener', async () => {
    const listener = await serve({});
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    await listener.close();
    expect(existsSync(socketPath)).toBe(false);
  });

  it('is not taken from one who listens', async () => {
    await serve({});
    await expect(serve({})).rejects.toMatchObject({
      kind: 'conflict',
      message: `cannot listen at ${socketPath}: something else listens there`,
    });
  });

  it('is replaced where nobody listens any more', async () => {
    const left = createNetServer();
    await new Promise<void>((resolve) => left.listen(join(directory, 'left.sock'), resolve));
    // Node removes the socket when it closes: a second name of it stays, as after a crash.
    const {linkSync} = await import('node:fs');
    linkSync(join(directory, 'left.sock'), socketPath);
    await new Promise((resolve) => left.close(resolve));
    expect(existsSync(socketPath)).toBe(true);
    await serve({});
    expect(await new Raw(socketPath).send('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n').rest()).toMatch(/OK/);
  });

  it('may be a TCP port', async () => {
    const listener = await listen(createServer(fakeEngine(), {version: '1'}), {host: '127.0.0.1', port: 0});
    open.push(listener);
    expect(listener.port).toBeGreaterThan(0);
    const answer = await fetch(`http://127.0.0.1:${listener.port}/_ping`);
    expect(await answer.text()).toBe('OK');
  });
});
