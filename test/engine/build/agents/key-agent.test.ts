import {createPublicKey, generateKeyPairSync, type KeyObject, verify} from 'node:crypto';
import {once} from 'node:events';
import {duplexPair} from 'node:stream';
import {expect, test} from 'vitest';
import {serveKeys} from '../../../../src/engine/build/agents/key-agent.ts';
import {type AgentKey, readPrivateKey} from '../../../../src/engine/build/agents/private-key.ts';
import {field, number, WireReader} from '../../../../src/engine/build/agents/wire.ts';
import {openSshKeys, openSshText} from './keys.ts';

const data = Buffer.from('to be signed');

/** What a client gets for its messages, which come in pieces. */
async function ask(keys: readonly AgentKey[], messages: readonly Buffer[]): Promise<readonly Buffer[]> {
  const [client, agent] = duplexPair();
  serveKeys(agent, keys);
  const bytes = Buffer.concat(messages.map(field));
  client.write(bytes.subarray(0, 3));
  client.end(bytes.subarray(3));
  const reader = new WireReader(Buffer.concat(await client.toArray()));
  return messages.map(() => reader.field());
}

const sign = (blob: Buffer, flags = 0) => Buffer.concat([Buffer.of(13), field(blob), field(data), number(flags)]);

async function signedBy(key: AgentKey, flags = 0): Promise<{algorithm: string; bytes: Buffer}> {
  const [answer = Buffer.of()] = await ask([key], [sign(key.blob, flags)]);
  expect(answer[0]).toBe(14);
  const signature = new WireReader(new WireReader(answer.subarray(1)).field());
  return {algorithm: signature.text(), bytes: signature.field()};
}

/** Both numbers of a signature by a curve, each as long as the curve's. */
function flat(bytes: Buffer, size: number): Buffer {
  const reader = new WireReader(bytes);
  const padded = () => Buffer.concat([Buffer.alloc(size), reader.field()]).subarray(-size);
  return Buffer.concat([padded(), padded()]);
}

const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1') => key.export({format: 'pem', type}).toString();

test.each(['ed25519', 'ecdsa', 'rsa'] as const)('a key of ssh-keygen has its public one: %s', (name) => {
  const key = readPrivateKey(openSshText(openSshKeys[name]), name);
  expect(key.blob.toString('base64')).toBe(openSshKeys[name].public);
  expect(key.comment).toBe({ed25519: 'one', ecdsa: 'two', rsa: 'three'}[name]);
});

test('an agent lists its keys', async () => {
  const keys = [openSshKeys.ed25519, openSshKeys.rsa].map((key) => readPrivateKey(openSshText(key), 'key'));
  const [answer = Buffer.of()] = await ask(keys, [Buffer.of(11)]);
  expect(answer[0]).toBe(12);
  const reader = new WireReader(answer.subarray(1));
  const listed = Array.from({length: reader.number()}, () => [reader.field().toString('base64'), reader.text()]);
  expect(listed).toEqual([
    [openSshKeys.ed25519.public, 'one'],
    [openSshKeys.rsa.public, 'three'],
  ]);
});

test('it signs with an Ed25519 key', async () => {
  const key = readPrivateKey(openSshText(openSshKeys.ed25519), 'key');
  const {algorithm, bytes} = await signedBy(key);
  const x = key.blob.subarray(-32).toString('base64url');
  const known = createPublicKey({key: {kty: 'OKP', crv: 'Ed25519', x}, format: 'jwk'});
  expect({algorithm, right: verify(null, data, known, bytes)}).toEqual({algorithm: 'ssh-ed25519', right: true});
});

test.each([
  [0, 'ssh-rsa', 'sha1'],
  [2, 'rsa-sha2-256', 'sha256'],
  [4, 'rsa-sha2-512', 'sha512'],
] as const)('it signs with an RSA key as it is asked to: flags %d, %s', async (flags, algorithm, hash) => {
  const {privateKey, publicKey} = generateKeyPairSync('rsa', {modulusLength: 2048});
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const signed = await signedBy(readPrivateKey(pem(privateKey, type), 'key'), flags);
    expect(signed.algorithm).toBe(algorithm);
    expect(verify(hash, data, publicKey, signed.bytes)).toBe(true);
  }
});

test.each([
  ['P-256', 'nistp256', 'sha256', 32],
  ['P-384', 'nistp384', 'sha384', 48],
  ['P-521', 'nistp521', 'sha512', 66],
] as const)('it signs with a key of the curve %s', async (namedCurve, name, hash, size) => {
  const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve});
  for (const type of ['sec1', 'pkcs8'] as const) {
    const {algorithm, bytes} = await signedBy(readPrivateKey(pem(privateKey, type), 'key'));
    expect(algorithm).toBe(`ecdsa-sha2-${name}`);
    const known = {key: publicKey, dsaEncoding: 'ieee-p1363'} as const;
    expect(verify(hash, data, known, flat(bytes, size))).toBe(true);
  }
});

test('what it cannot do it says so of, and goes on', async () => {
  const key = readPrivateKey(openSshText(openSshKeys.ed25519), 'key');
  const messages = [sign(Buffer.from('another')), Buffer.of(13, 0, 0, 1), Buffer.of(17), Buffer.of(11)];
  const answers = await ask([key], messages);
  expect(answers.map((answer) => answer[0])).toEqual([5, 5, 5, 12]);
});

test('a client that sends too much is cut off', async () => {
  const [client, agent] = duplexPair();
  serveKeys(agent, []);
  const closed = once(agent, 'close');
  client.write(number(2 ** 20));
  await closed;
  expect(client.read()).toBeNull();
});

test('a client that reads no answers is not answered any more', async () => {
  const key = readPrivateKey(openSshText(openSshKeys.rsa), 'key');
  const [client, agent] = duplexPair();
  const write = agent.write.bind(agent);
  let longest = 0;
  agent.write = (bytes: Buffer) => {
    const hasRoom = write(bytes);
    longest = Math.max(longest, agent.writableLength);
    return hasRoom;
  };
  serveKeys(agent, [key]);
  const asked = 5000;
  client.end(Buffer.concat(Array.from({length: asked}, () => field(Buffer.of(11)))));
  const reader = new WireReader(Buffer.concat(await client.toArray()));
  for (let count = 0; count < asked; count += 1) expect(reader.field()[0]).toBe(12);
  expect(longest).toBeLessThan(2 * agent.writableHighWaterMark);
});

test.each([
  ['has a passphrase', openSshText(openSshKeys.locked)],
  ['has a passphrase', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n-----END ENCRYPTED PRIVATE KEY-----\n'],
  ['is of a kind that is not known', pem(generateKeyPairSync('x25519').privateKey, 'pkcs8')],
  [
    'is of a kind that is not known',
    pem(generateKeyPairSync('dsa', {modulusLength: 1024, divisorLength: 160}).privateKey, 'pkcs8'),
  ],
  ['is neither a socket nor a private key', 'some text'],
  ['is neither a socket nor a private key', openSshText({body: openSshKeys.rsa.body.slice(0, 200)})],
  ['is neither a socket nor a private key', openSshText({body: 'bm8='})],
])('a file that %s is refused', (reason, text) => {
  expect(() => readPrivateKey(text, 'ssh agent "a": /key')).toThrow(`ssh agent "a": /key: it ${reason}`);
});
