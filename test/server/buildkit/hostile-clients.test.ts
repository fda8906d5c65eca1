import {once} from 'node:events';
import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {performServerHandshake, type ServerHttp2Stream} from 'node:http2';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {duplexPair} from 'node:stream';
import {expect, test} from 'vitest';
import {loadWire} from '../../../src/server/buildkit/grpc.ts';
import {createCaller} from '../../../src/server/buildkit/grpc-client.ts';
import {method} from '../../../src/server/buildkit/grpc-server.ts';
import {packets} from '../../../src/server/buildkit/packets.ts';
import {sendOutput} from '../../../src/server/buildkit/send-output.ts';
import {sessionClient} from '../../../src/server/buildkit/session-client.ts';
import {createSessions} from '../../../src/server/buildkit/sessions.ts';
import {callerOf} from './client.ts';

const never = new AbortController().signal;

test('what is no message ends a call by which something still waits to be sent', async () => {
  const [near, far] = duplexPair();
  const session = performServerHandshake(far);
  session.on('error', () => {});
  const codes: number[] = [];
  const closed = new Promise<void>((resolve) => {
    session.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {});
      stream.once('close', () => {
        codes.push(stream.rstCode);
        resolve();
      });
      stream.respond({':status': 200, 'content-type': 'application/grpc'});
      // Its window is full by then: nothing of it is ever read.
      stream.write(Buffer.from([1, 0, 0, 0, 0]));
    });
  });
  const caller = createCaller(near, await loadWire());
  const call = caller.open('/a/B', {request: 'BytesMessage', answer: 'BytesMessage'});
  const sending = call.send({data: Buffer.alloc(1_000_000)});
  await expect(call.answers[Symbol.asyncIterator]().next()).rejects.toMatchObject({kind: 'invalid'});
  await Promise.all([closed, sending]);
  // With none nghttp2 may go round for ever.
  expect(codes).toEqual([8]);
  caller.close();
});

test('a client that never answers is waited for until the build is given up', async () => {
  let asked: (() => void) | undefined;
  const begun = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const silent = method(
    '/moby.buildkit.secrets.v1.Secrets/GetSecret',
    'BytesMessage',
    'BytesMessage',
    (_, {signal}) => ({
      async *[Symbol.asyncIterator]() {
        asked?.();
        await once(signal, 'abort');
        yield* [];
      },
    }),
  );
  const caller = await callerOf([silent]);
  const stop = new AbortController();
  const waiting = sessionClient(caller, stop.signal).secret('token');
  await begun;
  stop.abort();
  await expect(waiting).rejects.toMatchObject({name: 'AbortError'});
  caller.close();
});

test('of what was built only files are sent: a link that leads to a file of this machine is none', async () => {
  const root = await mkdtemp(join(tmpdir(), 'tsc-sent-'));
  try {
    await mkdir(join(root, 'output'));
    await writeFile(join(root, 'outside'), 'not yours');
    await symlink('../outside', join(root, 'output/a'));
    await writeFile(join(root, 'output/b'), 'yours');
    const ask = async (id: number) => {
      let received = '';
      const names: string[] = [];
      const taking = method('/moby.filesync.v1.FileSend/DiffCopy', 'Packet', 'Packet', async function* (messages) {
        for await (const {type, stat, id: of, data} of messages) {
          if (type === packets.stat && stat != null) names.push(stat.path);
          else if (type === packets.stat) yield {type: packets.request, id};
          else if (type === packets.data && of === id && data.length > 0) received += Buffer.from(data).toString();
          else if (type === packets.data) yield {type: packets.end};
          else if (type === packets.end) return;
        }
      });
      const caller = await callerOf([taking]);
      try {
        await sendOutput({kind: 'local', path: join(root, 'output')}, {caller, exporter: 0, signal: never});
      } finally {
        caller.close();
      }
      return {names, received};
    };
    expect(await ask(1)).toEqual({names: ['a', 'b'], received: 'yours'});
    for (const id of [0, 7]) await expect(ask(id)).rejects.toMatchObject({kind: 'invalid'});
  } finally {
    await rm(root, {recursive: true});
  }
});

test('a session that nobody waits for any more is found all the same when it comes', async () => {
  const sessions = createSessions(loadWire);
  const stop = new AbortController();
  const finding = sessions.find('late', stop.signal);
  stop.abort();
  await expect(finding).rejects.toMatchObject({name: 'AbortError'});
  const waiting = sessions.find('late', never);
  const [, far] = duplexPair();
  sessions.open({id: 'late', sharedKey: ''}, far, await loadWire());
  expect(await sessions.find('late', never)).toBe(await waiting);
  far.destroy();
});

test('a client that is gone has an agent that answers nobody, and throws at nobody', async () => {
  const known = method('/moby.sshforward.v1.SSH/CheckAgent', 'BytesMessage', 'BytesMessage', async function* () {
    yield {};
  });
  const caller = await callerOf([known]);
  const open = await sessionClient(caller, never).agent('default');
  caller.close();
  const connection = open?.();
  if (connection === undefined) throw new Error('there is no agent');
  if (!connection.closed) await once(connection, 'close');
  expect(connection.destroyed).toBe(true);
});
