import {gunzipSync} from 'node:zlib';
import {extract, type Header} from 'tar-stream';

export interface TarEntry {
  readonly type: Header['type'];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: Date;
  readonly link: string;
  readonly text: string;
  readonly pax: Readonly<Record<string, string>>;
}

export async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The entries of an archive by their names, in its order. Throws for one that is damaged or breaks off. */
export async function readTar(
  source: AsyncIterable<Uint8Array> | Uint8Array,
): Promise<Readonly<Record<string, TarEntry>>> {
  const bytes = Buffer.from(Symbol.asyncIterator in source ? await bytesOf(source) : source);
  const tar = extract();
  tar.end(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
  const entries: Record<string, TarEntry> = {};
  for await (const entry of tar) {
    const {name, type, mode = 0, uid = 0, gid = 0, size = 0, mtime = new Date(0), linkname, pax} = entry.header;
    const text = (await bytesOf(entry as unknown as AsyncIterable<Uint8Array>)).toString('utf8');
    entries[name] = {
      type,
      mode,
      uid,
      gid,
      size,
      mtime,
      link: linkname ?? '',
      text,
      pax: (pax as Readonly<Record<string, string>> | undefined) ?? {},
    };
  }
  return entries;
}
