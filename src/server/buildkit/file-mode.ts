import type {Header} from 'tar-stream';

import type {Message, MessageInput} from './messages.ts';

/** Bits of Go's `os.FileMode` above the permissions: what fsutil sends. */
const bits = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  characterDevice: 2 ** 21,
  sticky: 2 ** 20,
} as const;

/** Of an entry of an archive. */
export type EntryHead = Partial<Header> & Pick<Header, 'name'>;

type FileType = 'file' | 'directory' | 'symlink' | 'character-device' | 'block-device' | 'fifo' | 'socket';

export function fileType(mode: number): FileType {
  const has = (bit: number) => Math.floor(mode / bit) % 2 === 1;
  if (has(bits.directory)) return 'directory';
  if (has(bits.symlink)) return 'symlink';
  if (has(bits.device)) return has(bits.characterDevice) ? 'character-device' : 'block-device';
  if (has(bits.fifo)) return 'fifo';
  return has(bits.socket) ? 'socket' : 'file';
}

/** Permissions as chmod(2) has them. */
function permissions(mode: number): number {
  const bit = (flag: number, value: number) => (Math.floor(mode / flag) % 2 === 1 ? value : 0);
  return (mode & 0o777) | bit(bits.setuid, 0o4000) | bit(bits.setgid, 0o2000) | bit(bits.sticky, 0o1000);
}

/** What was sent of a file as the head of an entry of an archive; undefined for a socket: archives have none. */
export function entryOf(stat: Message<'Stat'>): EntryHead | undefined {
  const {path: name, mode, uid, gid, linkname} = stat;
  const type = fileType(mode);
  if (type === 'socket') return undefined;
  const common = {name, uid, gid, mode: permissions(mode), mtime: new Date(Math.max(0, stat.modTime / 1e6))};
  if (type === 'file')
    return linkname === '' ? {...common, type, size: stat.size} : {...common, type: 'link', linkname, size: 0};
  if (type === 'symlink') return {...common, type, linkname, size: 0};
  if (type === 'directory') return {...common, type, name: `${name}/`, size: 0};
  return {...common, type, size: 0, ...{devmajor: stat.devmajor, devminor: stat.devminor}};
}

/**
 * Attributes of a file as an extended header (pax(1)), whole blocks that go before the file's own; undefined where it has none.
 * Their values are bytes, which the maker of archives has no way to write. The names are in it too, so that there is one.
 */
export function attributesOf({xattrs, path, linkname}: Message<'Stat'>): Uint8Array | undefined {
  const attributes = Object.entries(xattrs);
  if (attributes.length === 0) return undefined;
  const records = Buffer.concat([
    record('path', Buffer.from(path)),
    ...(linkname === '' ? [] : [record('linkpath', Buffer.from(linkname))]),
    ...attributes.map(([name, value]) => record(`SCHILY.xattr.${name}`, value)),
  ]);
  return Buffer.concat([extensionHead(records.length), records, Buffer.alloc(-records.length & (block - 1))]);
}

const block = 512;

/** The head of an entry of type `x` (tar(5)). */
function extensionHead(size: number): Buffer {
  const head = Buffer.alloc(block);
  const write = (at: number, text: string) => head.write(text, at, 'latin1');
  write(0, 'attributes');
  for (const [at, text] of [
    [100, '0000644'],
    [108, '0000000'],
    [116, '0000000'],
    [136, '00000000000'],
  ] as const)
    write(at, text);
  write(124, size.toString(8).padStart(11, '0'));
  write(148, '        ');
  write(156, 'x');
  write(257, 'ustar\x0000');
  const sum = head.reduce((total, byte) => total + byte, 0);
  write(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return head;
}

/** `length key=value`: the length is that of the whole record, with itself. */
function record(key: string, value: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** The head of an entry as fsutil sends it. */
export function statOf({
  name,
  mode = 0o644,
  uid = 0,
  gid = 0,
  size = 0,
  mtime,
  linkname,
  type,
}: EntryHead): MessageInput<'Stat'> {
  const kind = typeBits[type ?? 'file'] ?? 0;
  const bit = (flag: number, value: number) => ((mode & flag) === 0 ? 0 : value);
  const special = bit(0o4000, bits.setuid) + bit(0o2000, bits.setgid) + bit(0o1000, bits.sticky);
  return {
    path: name.replace(/\/+$/, ''),
    mode: (mode & 0o777) + special + kind,
    ...{uid, gid, size: type === 'file' ? size : 0, modTime: (mtime?.getTime() ?? 0) * 1e6},
    ...(linkname ? {linkname} : {}),
  };
}

const typeBits: Readonly<Record<string, number>> = {
  directory: bits.directory,
  symlink: bits.symlink,
  fifo: bits.fifo,
  'character-device': bits.device + bits.characterDevice,
  'block-device': bits.device,
};
