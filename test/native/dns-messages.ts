/** DNS messages as the tests write and read them, independent of the code under test (RFC 1035). */
export const types = {A: 1, NS: 2, PTR: 12, MX: 15, TXT: 16, AAAA: 28, OPT: 41, ANY: 255} as const;

export interface QueryOptions {
  readonly id?: number;
  readonly flags?: number;
  readonly class?: number;
  /** Size in an EDNS record. */
  readonly edns?: number;
  readonly ednsVersion?: number;
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}

export function encodeQuery(name: string, type: number, options: QueryOptions = {}): Buffer {
  const {id = 0x1234, flags = 0x0100, edns} = options;
  const extra =
    edns === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([Buffer.from([0]), words(types.OPT, edns, options.ednsVersion ?? 0, 0, 0)]);
  return Buffer.concat([
    words(id, flags, 1, 0, 0, edns === undefined ? 0 : 1),
    encodeName(name),
    words(type, options.class ?? 1),
    extra,
  ]);
}

export interface Message {
  readonly id: number;
  readonly response: boolean;
  readonly truncated: boolean;
  readonly recursionAvailable: boolean;
  readonly rcode: number;
  readonly question: string;
  readonly answers: readonly {readonly type: number; readonly ttl: number; readonly data: string}[];
  /** Size in the EDNS record; absent: there is none. */
  readonly edns?: number;
}

function readName(bytes: Buffer, start: number): {readonly name: string; readonly end: number} {
  const labels: string[] = [];
  let offset = start;
  let end = -1;
  for (;;) {
    const length = bytes.readUInt8(offset);
    if (length === 0) break;
    if (length >= 0xc0) {
      if (end < 0) end = offset + 2;
      offset = bytes.readUInt16BE(offset) & 0x3fff;
    } else {
      labels.push(bytes.toString('latin1', offset + 1, offset + 1 + length));
      offset += 1 + length;
    }
  }
  return {name: labels.join('.'), end: end < 0 ? offset + 1 : end};
}

function readData(bytes: Buffer, type: number, start: number, size: number): string {
  if (type === types.A) return [...bytes.subarray(start, start + size)].join('.');
  if (type === types.PTR) return readName(bytes, start).name;
  return bytes.toString('hex', start, start + size);
}

export function decodeMessage(input: Uint8Array): Message {
  const bytes = Buffer.from(input);
  const flags = bytes.readUInt16BE(2);
  let {name: question, end: offset} = bytes.readUInt16BE(4) === 0 ? {name: '', end: 8} : readName(bytes, 12);
  offset += 4;
  const answers: {type: number; ttl: number; data: string}[] = [];
  let edns: number | undefined;
  let extended = 0;
  const count = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  for (let index = 0; index < count; index += 1) {
    const {end} = readName(bytes, offset);
    const type = bytes.readUInt16BE(end);
    const size = bytes.readUInt16BE(end + 8);
    if (type === types.OPT) {
      edns = bytes.readUInt16BE(end + 2);
      extended = bytes.readUInt8(end + 4);
    } else answers.push({type, ttl: bytes.readUInt32BE(end + 4), data: readData(bytes, type, end + 10, size)});
    offset = end + 10 + size;
  }
  if (offset !== bytes.length) throw new Error(`message has ${bytes.length} bytes, its records end at ${offset}`);
  return {
    id: bytes.readUInt16BE(0),
    response: (flags & 0x8000) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    rcode: (flags & 15) | (extended << 4),
    question,
    answers,
    ...(edns === undefined ? {} : {edns}),
  };
}
