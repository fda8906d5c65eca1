import {createReadStream} from 'node:fs';
import {readTar, type TarEntry} from '../../support/read-tar.ts';
import {readArchive} from '../image/bed.ts';

/** A document of a layout. */
// biome-ignore lint/suspicious/noExplicitAny: documents are compared, not worked with.
export type Document = any;

/** An OCI layout in an archive. */
export interface OutputLayout {
  readonly files: ReadonlyMap<string, Buffer>;
  /** What `index.json` names. */
  readonly entries: readonly Document[];
  document(descriptor: {readonly digest: string}): Document;
  /** The entries of a layer, whatever its compression. */
  layer(descriptor: {readonly digest: string}): Promise<Readonly<Record<string, TarEntry>>>;
}

export async function readLayout(path: string): Promise<OutputLayout> {
  const files = await readArchive(createReadStream(path));
  const blob = ({digest}: {readonly digest: string}): Buffer => {
    const found = files.get(`blobs/${digest.replace(':', '/')}`);
    if (found === undefined) throw new Error(`no blob ${digest}`);
    return found;
  };
  return {
    files,
    entries: JSON.parse(String(files.get('index.json'))).manifests,
    document: (descriptor) => JSON.parse(blob(descriptor).toString('utf8')),
    layer: (descriptor) => readTar(blob(descriptor)),
  };
}
