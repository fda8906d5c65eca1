import {hasKind} from '../../../base/errors.ts';
import type {Helper} from '../../helper/coprocess.ts';
import {startFilesProcess} from '../../helper/files-process.ts';
import type {SourceTree, TreeEntry, TreeListing} from './tree.ts';

/** The tree of a stage or an image. Only the helper looks into it: what is in there may be hostile. */
export function openLayerTree(helper: Helper, lowers: readonly string[], signal: AbortSignal): SourceTree {
  const listed = new Map<string, Promise<TreeListing | undefined>>();
  return {
    place: {lowers},
    list(path, {digests}) {
      const key = `${digests ? 'digests' : 'names'} ${path}`;
      const known = listed.get(key) ?? list(helper, lowers, {path, digests}, signal);
      listed.set(key, known);
      return known;
    },
  };
}

async function list(
  helper: Helper,
  lowers: readonly string[],
  {path, digests}: {readonly path: string; readonly digests: boolean},
  signal: AbortSignal,
): Promise<TreeListing | undefined> {
  if (lowers.length === 0) return path === '' ? {resolved: '', entries: []} : undefined;
  const place = {pid: 0, monitor: 0, operations: new Uint8Array()};
  try {
    const {output} = await startFilesProcess(helper, {kind: 'fileList', ...place, path, digests, lowers}, {signal});
    const pieces: Uint8Array[] = [];
    for await (const piece of output) pieces.push(piece);
    return parse(Buffer.concat(pieces).toString('utf8'));
  } catch (error) {
    if (hasKind(error, 'notFound')) return undefined;
    throw error;
  }
}

function parse(text: string): TreeListing {
  const [resolved = '', ...fields] = text.split('\0');
  const entries: TreeEntry[] = [];
  for (let at = 0; at + 4 <= fields.length - 1; at += 4) {
    const [path = '', numbers = '', attributes = '', content = ''] = fields.slice(at, at + 4);
    entries.push(entryOf(path, numbers.split(' '), {attributes, content}));
  }
  return {resolved, entries};
}

function entryOf(path: string, numbers: readonly string[], rest: Pick<TreeEntry, 'attributes' | 'content'>): TreeEntry {
  const [mode = '0', uid, gid, size, time = '0.0', file = '0:0', names, device = '0:0'] = numbers;
  const [seconds = '0', nanoseconds] = time.split('.');
  return {
    path,
    mode: Number.parseInt(mode, 8),
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
    mtime: [BigInt(seconds), Number(nanoseconds)],
    inode: BigInt(file.split(':')[1] ?? '0'),
    file: Number(names) > 1 ? file : undefined,
    device,
    ...rest,
  };
}
