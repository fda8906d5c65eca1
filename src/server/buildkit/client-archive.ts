import type {Writable} from 'node:stream';
import {type Pack, pack} from 'tar-stream';
import {drained} from '../drained.ts';
import type {SentFile} from './client-files.ts';
import {attributesOf, type EntryHead, entryOf} from './file-mode.ts';

/** What a client sends as an archive. */
export function archiveOf(files: AsyncIterable<SentFile>): AsyncIterable<Uint8Array> {
  const archive = pack();
  const write = async () => {
    for await (const {stat, content} of files) {
      // Nobody reads it any more.
      if (archive.destroyed) return;
      const head = entryOf(stat);
      if (head === undefined) continue;
      const attributes = attributesOf(stat);
      if (attributes !== undefined) archive.push(attributes);
      await new Promise<void>((resolve, reject) => {
        const named = attributes === undefined ? head : {...head, ...placeholders(head)};
        const entry = archive.entry(named, (error) => (error ? reject(error) : resolve()));
        // An entry fails with its archive, and one that nobody listens to would end the engine.
        entry.on('error', reject);
        entry.once('close', () => resolve());
        void fill(entry, content).catch(reject);
      });
    }
    archive.finalize();
  };
  // Told to whoever reads it, now or later.
  archive.on('error', () => {});
  write().catch((error: unknown) => archive.destroy(error as Error));
  return archive as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
}

/** The extension has the true ones. */
function placeholders({name, linkname}: EntryHead): Partial<EntryHead> {
  return {name: name.endsWith('/') ? 'file/' : 'file', ...(linkname === undefined ? {} : {linkname: 'file'})};
}

async function fill(entry: ReturnType<Pack['entry']>, content: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const data of content) {
    if (entry.destroyed) return;
    if (!entry.write(data)) await drained(entry as unknown as Writable);
  }
  entry.end(null);
}
