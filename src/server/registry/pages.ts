import {Refusal} from './refusal.ts';

/** More names than this are told in several pages. */
const pageMax = 10_000;
/** Clients read an answer of 4 MiB at most. */
const bytesMax = 3 * 1024 * 1024;

export interface Page {
  readonly names: readonly string[];
  /** For the header `Link`, where there is more. */
  readonly link: string | undefined;
}

/** Of entries that are more than a name. */
export interface PageContent {
  /** Bytes of an entry in an answer. */
  readonly bytes: (name: string) => number;
  /** Further parameters that the next page is asked for with. */
  readonly keep: readonly string[];
}

/** The part of a list that `n` and `last` ask for, in the order of bytes. `path` is what the list is under. */
export function pageOf(names: Iterable<string>, query: URLSearchParams, path: string, content?: PageContent): Page {
  const size = Math.min(readCount(query.get('n')), pageMax);
  const last = query.get('last') ?? '';
  const rest = [...names].sort().filter((name) => name > last);
  const page = content === undefined ? rest.slice(0, size) : withinBytes(rest.slice(0, size), content);
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return {names: page, link: undefined};
  const next = new URLSearchParams({n: String(size), last: end});
  for (const name of content?.keep ?? []) {
    const value = query.get(name);
    if (value !== null) next.set(name, value);
  }
  return {names: page, link: `<${path}?${next}>; rel="next"`};
}

/** One at least: an entry is never too large for a page of its own. */
function withinBytes(names: readonly string[], {bytes}: PageContent): readonly string[] {
  let left = bytesMax;
  const end = names.findIndex((name) => {
    left -= bytes(name);
    return left < 0;
  });
  return end === -1 ? names : names.slice(0, Math.max(end, 1));
}

function readCount(text: string | null): number {
  if (text === null || text === '') return pageMax;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Refusal('PAGINATION_NUMBER_INVALID', `the number of results "${text}" is not a number`, {
    detail: {n: text},
  });
}
