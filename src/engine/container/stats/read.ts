import {readFileSync} from 'node:fs';

/**
 * The text of a file of the kernel, empty where there is none. Not by the thread pool: no disk is behind these files, and
 * the way there and back costs ten times what the reading does. UTF-8 has a short way of its own in Node.
 */
export function readKernelFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The container ended, or this kernel has no such file.
    return '';
  }
}

/** The number that a file holds; undefined for none, and for `max`. */
export function readNumber(path: string): number | undefined {
  const text = readKernelFile(path).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** A file of `key value` lines. */
export function readPairs(path: string): Readonly<Record<string, number>> {
  const pairs: Record<string, number> = {};
  const text = readKernelFile(path);
  for (let start = 0, end = text.indexOf('\n'); end > 0; start = end + 1, end = text.indexOf('\n', start)) {
    const blank = text.indexOf(' ', start);
    if (blank > start && blank < end) pairs[text.slice(start, blank)] = Number(text.slice(blank + 1, end));
  }
  return pairs;
}
