/** Netlink messages: u32 length · u16 type · u16 flags · u32 sequence · u32 port · payload, padded to 4. netlink(7). */

export const messageFlags = {
  request: 0x001,
  acknowledge: 0x004,
  /** In an answer: the dump changed while it was read. */
  dumpInterrupted: 0x010,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
} as const;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  /** The family's fixed header and its attributes. */
  readonly payload: Uint8Array;
}

const headerSize = 16;

/** Messages one after the other, ready for one send. Each sequence number is the message's place from 1. */
export function encodeMessages(messages: readonly NetlinkMessage[]): Uint8Array {
  return Buffer.concat(
    messages.map(({type, flags, payload}, index) => {
      const length = headerSize + payload.length;
      const bytes = new Uint8Array((length + 3) & ~3);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, length, true);
      view.setUint16(4, type, true);
      view.setUint16(6, flags, true);
      view.setUint32(8, index + 1, true);
      bytes.set(payload, headerSize);
      return bytes;
    }),
  );
}

export function decodeMessages(bytes: Uint8Array): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (offset + headerSize <= bytes.length) {
    const length = view.getUint32(offset, true);
    if (length < headerSize || offset + length > bytes.length) break;
    messages.push({
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      payload: bytes.subarray(offset + headerSize, offset + length),
    });
    offset += (length + 3) & ~3;
  }
  return messages;
}
