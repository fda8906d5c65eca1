// What a tar of a built tree has, in one line an entry.
import {createHash} from 'node:crypto';
import {Readable} from 'node:stream';
import {extract} from 'tar-stream';

/** Devices and what a start of a container makes are no part of what is compared. */
const left = /^(?:\.dockerenv|dev\/.*)$/;

export async function archiveEntries(bytes) {
  const entries = new Map();
  const tar = extract();
  Readable.from(bytes).pipe(tar);
  for await (const entry of tar) {
    const {name, type, mode, uid, gid, linkname, pax} = entry.header;
    const hash = createHash('sha256');
    for await (const chunk of entry) hash.update(chunk);
    const path = name.replace(/^\.?\/+|\/+$/g, '');
    const attributes = Object.entries(pax ?? {}).filter(([key]) => key.startsWith('SCHILY.xattr.'));
    const content = type === 'file' ? hash.digest('hex').slice(0, 16) : (linkname ?? '');
    if (path === '' || left.test(path)) continue;
    const owner = `${uid}:${gid}`;
    const parts = [type, type === 'symlink' ? '' : (mode & 0o7777).toString(8), owner, content, ...attributes.flat()];
    entries.set(path, {text: parts.join(' '), link: type === 'link' ? linkname?.replace(/^\.?\/+/, '') : undefined});
  }
  // Which of a file's names comes first is nobody's business.
  return Object.fromEntries(
    [...entries].map(([path, {text, link}]) => [path, link === undefined ? text : (entries.get(link)?.text ?? text)]),
  );
}
