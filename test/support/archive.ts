import {Buffer} from 'node:buffer';

/** A header block and its data, exactly as told: archives that no proper program would write. */
export interface RawEntry {
  readonly name: string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` character device, `5` directory, `x` extended header. */
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly data?: string | Uint8Array;
  readonly major?: number;
  readonly minor?: number;
  /** Extended records before the entry. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  /** Leaves out the magic and with it everything newer than 1988. */
  readonly old?: boolean;
}

export function makeTar(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(encode), Buffer.alloc(1024)]);
}

function encode(entry: RawEntry): readonly Buffer[] {
  const data = Buffer.from(entry.data ?? '');
  const blocks = [header(entry, data.length), data, Buffer.alloc(-data.length & 511)];
  if (!entry.pax) return blocks;
  const records = Buffer.concat(Object.entries(entry.pax).map(([key, value]) => paxRecord(key, Buffer.from(value))));
  return [...encode({name: 'PaxHeader', type: 'x', data: records}), ...blocks];
}

/** `length key=value\n`, the length counting itself. */
export function paxRecord(key: string, value: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header(
  {name, type = '0', link = '', mode, uid = 0, gid = 0, mtime = 0, major = 0, minor = 0, old}: RawEntry,
  size: number,
): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, offset: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
  block.write(name, 0, 100, 'latin1');
  octal(mode ?? (type === '5' ? 0o755 : 0o644), 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  octal(mtime, 136, 12);
  block.write(type, 156, 'latin1');
  block.write(link, 157, 100, 'latin1');
  if (!old) block.write('ustar\x0000', 257, 'latin1');
  octal(major, 329, 8);
  octal(minor, 337, 8);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
