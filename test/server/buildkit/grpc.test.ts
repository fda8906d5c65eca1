import fc from 'fast-check';
import {expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import {decodeStatusMessage, encodeStatusMessage, loadWire} from '../../../src/server/buildkit/grpc.ts';
import {method, unary} from '../../../src/server/buildkit/grpc-server.ts';
import {callerOf} from './client.ts';

const types = {request: 'BytesMessage', answer: 'BytesMessage'} as const;

const echo = method('/test.Echo/All', 'BytesMessage', 'BytesMessage', async function* (messages) {
  for await (const {data} of messages) yield {data};
});

test('messages go both ways, whatever is in them', async () => {
  const caller = await callerOf([echo]);
  const call = caller.open('/test.Echo/All', types);
  const sent = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(300_000, 7)];
  for (const data of sent) await call.send({data});
  call.end();
  const back: Buffer[] = [];
  for await (const {data} of call.answers) back.push(Buffer.from(data));
  expect(back).toEqual(sent);
  caller.close();
});

test('an error comes as a status with all that is said of it', async () => {
  const caller = await callerOf([
    unary('/test.Fails/Now', 'BytesMessage', 'BytesMessage', async function* () {
      yield {data: Buffer.from('first')};
      throw new TscomposeError('notFound', 'no such thing: “é”, 100%', {hint: 'name another'});
    }),
  ]);
  const failing = caller.call('/test.Fails/Now', types, {data: Buffer.from('x')});
  await expect(failing).rejects.toMatchObject({kind: 'notFound', message: 'no such thing: “é”, 100%\nname another'});
  await expect(caller.call('/test.Other/Now', types, {})).rejects.toMatchObject({
    kind: 'unsupported',
    message: 'unknown method /test.Other/Now',
  });
  caller.close();
});

test('a caller that is gone ends what it asked for', async () => {
  let ended: (() => void) | undefined;
  const gone = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const caller = await callerOf([
    unary('/test.Waits/Long', 'BytesMessage', 'BytesMessage', async function* (_, {signal}) {
      yield {data: Buffer.from('begun')};
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), {once: true}));
      ended?.();
    }),
  ]);
  const call = caller.open('/test.Waits/Long', types);
  await call.send({});
  const {value} = await call.answers[Symbol.asyncIterator]().next();
  expect(Buffer.from(value?.data ?? []).toString()).toBe('begun');
  caller.close();
  await gone;
  await expect(caller.call('/test.Waits/Long', types, {})).rejects.toMatchObject({kind: 'unavailable'});
});

test('what is no message is refused', async () => {
  const wire = await loadWire();
  const read = async (bytes: Uint8Array) => {
    const seen: unknown[] = [];
    for await (const message of wire.read(
      'Stat',
      (async function* () {
        yield bytes;
      })(),
    ))
      seen.push(message);
    return seen;
  };
  await expect(read(Buffer.from([1, 0, 0, 0, 0]))).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('compressed'),
  });
  await expect(read(Buffer.from([0, 0xff, 0, 0, 0]))).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('bytes'),
  });
  await expect(read(Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x7f]))).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('no Stat'),
  });
});

test('messages come out as they went in, however they are cut', async () => {
  const wire = await loadWire();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({maxLength: 40})), fc.integer({min: 1, max: 30}), async (paths, size) => {
      const bytes = Buffer.concat(
        paths.map((path) => wire.frame('Stat', {path, size: 2 ** 40, xattrs: {a: Buffer.from('b')}})),
      );
      const pieces = async function* () {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      };
      const seen: string[] = [];
      for await (const {path, size: told, xattrs} of wire.read('Stat', pieces())) {
        expect({told, attribute: Buffer.from(xattrs['a'] ?? []).toString()}).toEqual({told: 2 ** 40, attribute: 'b'});
        seen.push(path);
      }
      expect(seen).toEqual(paths);
    }),
  );
});

test('the text of a status survives a header', () => {
  fc.assert(
    fc.property(fc.string({unit: 'grapheme'}), (text) => {
      const header = encodeStatusMessage(text);
      expect(header).toMatch(/^[\x20-\x7e]*$/);
      expect(decodeStatusMessage(header)).toBe(text);
    }),
  );
});
