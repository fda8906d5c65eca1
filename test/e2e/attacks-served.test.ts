import {readdirSync, statSync} from 'node:fs';
import {connect, type Socket} from 'node:net';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {eventually, execute} from '../support/host.ts';
import {mustLoadHostile, mustUp} from './attacks/hostile.ts';
import {type Served, serveAttacked} from './attacks/served.ts';
import {attackTargets, useAttacked} from './attacks/targets.ts';

const stack = 'name: hostile\nservices: {a: {image: hostile, network_mode: none, init: true, command: sleep 600}}\n';

/** A connection that has bytes written to it as they are. */
class Raw {
  readonly #socket: Socket;
  #answer = '';
  #closed = false;

  constructor(path: string) {
    this.#socket = connect({path, allowHalfOpen: true});
    this.#socket.on('data', (data: Buffer) => {
      this.#answer += data.toString('latin1');
    });
    const closed = () => {
      this.#closed = true;
    };
    this.#socket.on('close', closed).on('end', closed).on('error', closed);
  }

  send(text: string): this {
    if (!this.#closed) this.#socket.write(text, 'latin1');
    return this;
  }

  /** The status of the answer, once there is one. */
  status(): Promise<string> {
    return eventually(() => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(this.#answer)?.[1];
      if (status === undefined) throw new Error(this.#closed ? 'closed without an answer' : 'no answer yet');
      return status;
    });
  }

  /** How many answers there are, once the other side has closed. */
  async answers(): Promise<number> {
    await eventually(() => expect(this.#closed).toBe(true));
    return this.#answer.match(/^HTTP\/1\.1 /gm)?.length ?? 0;
  }

  end(): void {
    this.#socket.destroy();
  }
}

describe.each(attackTargets)('an engine $engine', (target) => {
  const machine = useAttacked(target, stack);
  const open: Raw[] = [];
  let served: Served;

  beforeEach(async () => {
    served = await serveAttacked(machine.host);
  });
  afterEach(async () => {
    for (const raw of open.splice(0)) raw.end();
    await served[Symbol.asyncDispose]();
  });
  const raw = () => {
    const made = new Raw(served.socketPath);
    open.push(made);
    return made;
  };
  const create = 'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

  test('is heard by its owner alone: others of the machine find no socket of it, nor can they open one', async () => {
    const {host} = machine;
    await mustLoadHostile(host, 'hostile', () => {});
    await mustUp(host);
    const sockets = readdirSync(host.run, {recursive: true, encoding: 'utf8'})
      .map((name) => join(host.run, name))
      // What is written anew meanwhile has other names for a moment.
      .filter((path) => statSync(path, {throwIfNoEntry: false})?.isSocket());
    const wanted = ['engine.sock', ...(target.rootless ? ['keeper.sock'] : [])].map((name) => join(host.run, name));
    expect(sockets).toEqual(expect.arrayContaining(wanted));
    // The container's monitor listens too.
    expect(sockets.length).toBeGreaterThan(wanted.length);
    for (const path of sockets) expect({path, mode: statSync(path).mode & 0o777}).toEqual({path, mode: 0o600});
    for (const path of sockets) {
      const script = `
import os, socket, sys
# By its directory, which root opened: neither a mode above it nor the length of its path stands in the way.
directory = os.open(os.path.dirname(sys.argv[1]), os.O_PATH)
path = '/proc/self/fd/%d/%s' % (directory, os.path.basename(sys.argv[1]))
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
    try:
        socket.socket(socket.AF_UNIX, kind).connect(path)
        print('connected')
    except PermissionError:
        print('denied')
`;
      expect(await execute('python3', ['-c', script, path])).toMatchObject({stdout: 'denied\ndenied\n'});
    }
  });

  test('answers while others hold connections open with half a request', async () => {
    for (let index = 0; index < 200; index++) raw().send('GET /_ping HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    for (let index = 0; index < 50; index++) raw().send(`${create}Content-Length: 100\r\n\r\n{"Image`);
    for (let round = 0; round < 5; round++) expect(await served.docker.ping()).toBe('OK');
  });

  const refused = [
    ['a head without an end', `GET /_ping HTTP/1.1\r\nX: ${'x'.repeat(2 << 20)}`, '431'],
    ['a great many headers', `GET /_ping HTTP/1.1\r\nHost: x\r\n${'header: value\r\n'.repeat(300_000)}\r\n`, '431'],
    ['no HTTP at all', 'nonsense\r\n\r\n', '400'],
    ['a name of a header with a space', 'GET /_ping HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n', '400'],
    ['a size of a chunk that is no number', `${create}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`, '400'],
    ['a size of a chunk that overflows', `${create}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(17)}\r\n`, '400'],
    [
      'a chunk that is longer than it says',
      `${create}Transfer-Encoding: chunked\r\n\r\n1\r\n{"Image":"x"}\r\n0\r\n\r\n`,
      '400',
    ],
    [
      'two lengths',
      `${create}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /_ping HTTP/1.1\r\n\r\n`,
      '400',
    ],
    ['a negative length', `${create}Content-Length: -1\r\n\r\n`, '400'],
    ['a body of nothing but brackets', `${create}Content-Length: 1000000\r\n\r\n${'['.repeat(1_000_000)}`, '400'],
    ['a body that is not an object', `${create}Content-Length: 2\r\n\r\n[]`, '400'],
    ['a path that climbs', 'GET /containers/..%2f..%2f..%2fetc%2fpasswd/json HTTP/1.1\r\nHost: x\r\n\r\n', '404'],
    ['a path with a zero', 'GET /containers/a%00b/json HTTP/1.1\r\nHost: x\r\n\r\n', '400'],
    ['a path that is no text', 'GET /containers/%ff%fe/json HTTP/1.1\r\nHost: x\r\n\r\n', '404'],
    ['an upgrade to nothing', 'GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', '200'],
  ] as const;

  test('refuses what is no request, each for itself, and goes on', async () => {
    for (const [what, text, status] of refused) {
      expect({what, status: await raw().send(text).status()}).toEqual({what, status});
      expect(await served.docker.ping()).toBe('OK');
    }
  });

  test('takes what follows a refused request for nothing', async () => {
    const smuggled = 'GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n';
    const bad = `${create}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`;
    expect(await raw().send(bad).answers()).toBe(1);
  });

  test('reads no more of a body than any request needs', async () => {
    const connection = raw().send(`${create}Transfer-Encoding: chunked\r\n\r\n`);
    const piece = `100000\r\n${' '.repeat(1 << 20)}\r\n`;
    for (let count = 0; count < 34; count++) connection.send(piece);
    expect(await connection.status()).toBe('400');
    expect(await served.docker.ping()).toBe('OK');
  });
});
