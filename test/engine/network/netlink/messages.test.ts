import fc from 'fast-check';
import {expect, test} from 'vitest';
import {
  attributes,
  list,
  numbered,
  raw,
  s32be,
  text,
  u8,
  u16be,
  u32,
  u32be,
  u64be,
} from '../../../../src/engine/network/netlink/attribute.ts';
import {createBridge, decodeLink} from '../../../../src/engine/network/netlink/link.ts';
import {decodeMessages, encodeMessages} from '../../../../src/engine/network/netlink/message.ts';
import {decodeComment, encodeComment} from '../../../../src/engine/network/netlink/userdata.ts';

const schema = attributes({
  byte: [1, u8],
  port: [2, u16be],
  index: [3, u32],
  policy: [4, u32be],
  priority: [5, s32be],
  handle: [6, u64be],
  name: [7, text],
  key: [8, raw],
  nested: [9, attributes({inner: [1, u32be]})],
  many: [10, list(1, text)],
  settings: [11, numbered(u32)],
});

const bytes = (max: number) => fc.uint8Array({maxLength: max}).map((array) => new Uint8Array(array));
const plainText = fc.string({maxLength: 20}).filter((value) => !value.includes('\0'));
const values = fc.record(
  {
    byte: fc.integer({min: 0, max: 255}),
    port: fc.integer({min: 0, max: 65535}),
    index: fc.integer({min: 0, max: 0xffffffff}),
    policy: fc.integer({min: 0, max: 0xffffffff}),
    priority: fc.integer({min: -(2 ** 31), max: 2 ** 31 - 1}),
    handle: fc.bigInt({min: 0n, max: 2n ** 64n - 1n}),
    name: plainText,
    key: bytes(40),
    nested: fc.record({inner: fc.integer({min: 0, max: 0xffffffff})}),
    many: fc.array(plainText, {maxLength: 4}),
    settings: fc.dictionary(fc.integer({min: 1, max: 30}).map(String), fc.integer({min: 0, max: 9}), {maxKeys: 4}),
  },
  {requiredKeys: []},
);

test('what a schema encodes it decodes', () => {
  fc.assert(
    fc.property(values, (given) => {
      const encoded = schema.encode(given as never);
      expect(encoded.length % 4).toBe(0);
      expect(schema.decode(new Uint8Array(encoded))).toEqual(given);
    }),
  );
});

test('no bytes make decoding fail or run on', () => {
  fc.assert(
    fc.property(bytes(200), (noise) => {
      decodeMessages(noise);
      attributes({name: [1, text], many: [2, list(1, raw)]}).decode(noise);
      decodeComment(noise);
    }),
  );
});

test('the bytes of a message are those the kernel reads', () => {
  const message = encodeMessages([createBridge({name: 'tsb0', address: Uint8Array.of(2, 0x42, 1, 2, 3, 4)})]);
  // RTM_NEWLINK, request + ack + exclusive + create; then ifinfomsg, IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINKINFO.
  expect(Buffer.from(message).toString('hex')).toBe(
    [
      '48000000',
      '1000',
      '0506',
      '01000000',
      '00000000',
      '00000000',
      '00000000',
      '00000000',
      '00000000',
      '0a000100',
      '024201020304',
      '0000',
      '09000300',
      '74736230',
      '00',
      '000000',
      '10001280',
      '0b000100',
      '62726964676500',
      '00',
    ].join(''),
  );
  const [decoded] = decodeMessages(message);
  expect(decoded && decodeLink(decoded)).toMatchObject({
    name: 'tsb0',
    kind: 'bridge',
    address: '02:42:01:02:03:04',
    up: false,
  });
});

test('messages are numbered by their place, and split again', () => {
  const messages = [1, 2, 3].map((type) => ({type, flags: 5, payload: new Uint8Array(type)}));
  const encoded = encodeMessages(messages);
  expect([8, 28, 48].map((offset) => encoded[offset])).toEqual([1, 2, 3]);
  expect(decodeMessages(new Uint8Array(encoded))).toEqual(messages);
});

test('comments are found among other user data, and cut to what fits', () => {
  expect(decodeComment(Uint8Array.of(7, 1, 9, ...encodeComment('hello')))).toBe('hello');
  expect(decodeComment(Uint8Array.of(7, 1, 9))).toBe('');
  expect(encodeComment('x'.repeat(400)).length).toBe(2 + 254 + 1);
});
