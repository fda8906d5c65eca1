/**
 * Netlink attributes as tables: a schema names each attribute of a message with its number and codec, and the same
 * table encodes and decodes. Netlink(7): attribute = u16 length (with header) · u16 type · payload · padding to 4.
 */

/** How a value becomes an attribute's payload and back. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
  /** The payload is itself a list of attributes: its type carries NLA_F_NESTED. */
  readonly nested?: boolean;
}

/** An attribute's number and codec. */
export type Field<T> = readonly [type: number, codec: Codec<T>];

// biome-ignore lint/suspicious/noExplicitAny: a schema holds fields of any value type
export type Schema = Readonly<Record<string, Field<any>>>;

/** The values of a schema: what is absent is not sent, and what was not received is absent. */
export type Values<S extends Schema> = {readonly [K in keyof S]?: S[K] extends Field<infer T> ? T : never};

const nestedFlag = 0x8000;
const typeMask = 0x3fff;
const headerSize = 4;

function align(length: number): number {
  return (length + 3) & ~3;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function number(size: 1 | 2 | 4, littleEndian: boolean): Codec<number> {
  return {
    encode(value) {
      const bytes = new Uint8Array(size);
      const view = viewOf(bytes);
      if (size === 1) view.setUint8(0, value);
      else if (size === 2) view.setUint16(0, value, littleEndian);
      else view.setUint32(0, value >>> 0, littleEndian);
      return bytes;
    },
    decode(bytes) {
      const view = viewOf(bytes);
      if (size === 1) return view.getUint8(0);
      return size === 2 ? view.getUint16(0, littleEndian) : view.getUint32(0, littleEndian);
    },
  };
}

/** Machine byte order is little-endian on every machine we run on; rtnetlink uses it, nf_tables is big-endian. */
export const u8 = number(1, true);
export const u16 = number(2, true);
export const u32 = number(4, true);
export const u16be = number(2, false);
export const u32be = number(4, false);

export const s32be: Codec<number> = {
  encode: (value) => u32be.encode(value >>> 0),
  decode: (bytes) => u32be.decode(bytes) | 0,
};

export const u64be: Codec<bigint> = {
  encode(value) {
    const bytes = new Uint8Array(8);
    viewOf(bytes).setBigUint64(0, value, false);
    return bytes;
  },
  decode: (bytes) => viewOf(bytes).getBigUint64(0, false),
};

/** A text with the NUL that the kernel expects at its end. */
export const text: Codec<string> = {
  encode: (value) => Buffer.from(`${value}\0`, 'utf8'),
  decode(bytes) {
    const end = bytes.indexOf(0);
    return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
  },
};

export const raw: Codec<Uint8Array> = {encode: (value) => value, decode: (bytes) => bytes};

/** Attributes of a schema, in the schema's order. Unknown ones are skipped when decoding. */
export function attributes<S extends Schema>(schema: S): Codec<Values<S>> {
  const byType = new Map(Object.entries(schema).map(([name, [type, codec]]) => [type, {name, codec}]));
  return {
    nested: true,
    encode(values) {
      const parts: Uint8Array[] = [];
      for (const [name, [type, codec]] of Object.entries(schema)) {
        const value = values[name];
        if (value !== undefined) parts.push(encodeAttribute(type, codec, value));
      }
      return Buffer.concat(parts);
    },
    decode(bytes) {
      const values: Record<string, unknown> = {};
      for (const [type, payload] of splitAttributes(bytes)) {
        const field = byType.get(type);
        if (field) values[field.name] = field.codec.decode(payload);
      }
      return values as Values<S>;
    },
  };
}

/** An array: attributes of one type, in order. */
export function list<T>(type: number, codec: Codec<T>): Codec<readonly T[]> {
  return {
    nested: true,
    encode: (values) => Buffer.concat(values.map((value) => encodeAttribute(type, codec, value))),
    decode: (bytes) =>
      splitAttributes(bytes)
        .filter(([found]) => found === type)
        .map(([, payload]) => codec.decode(payload)),
  };
}

/** Attributes whose numbers are the keys of a map: per-interface settings (IFLA_INET_CONF). */
export function numbered<T>(codec: Codec<T>): Codec<Readonly<Record<number, T>>> {
  return {
    nested: true,
    encode: (values) =>
      Buffer.concat(Object.entries(values).map(([type, value]) => encodeAttribute(Number(type), codec, value))),
    decode: (bytes) =>
      Object.fromEntries(splitAttributes(bytes).map(([type, payload]) => [type, codec.decode(payload)])),
  };
}

function encodeAttribute<T>(type: number, codec: Codec<T>, value: T): Uint8Array {
  const payload = codec.encode(value);
  const bytes = new Uint8Array(align(headerSize + payload.length));
  const view = viewOf(bytes);
  view.setUint16(0, headerSize + payload.length, true);
  view.setUint16(2, codec.nested ? type | nestedFlag : type, true);
  bytes.set(payload, headerSize);
  return bytes;
}

function splitAttributes(bytes: Uint8Array): readonly (readonly [type: number, payload: Uint8Array])[] {
  const found: (readonly [number, Uint8Array])[] = [];
  const view = viewOf(bytes);
  let offset = 0;
  while (offset + headerSize <= bytes.length) {
    const length = view.getUint16(offset, true);
    if (length < headerSize || offset + length > bytes.length) break;
    const type = view.getUint16(offset + 2, true) & typeMask;
    found.push([type, bytes.subarray(offset + headerSize, offset + length)]);
    offset += align(length);
  }
  return found;
}
