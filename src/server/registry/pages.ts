import {Refusal} from './refusal.ts';

/** More names than this are told in several pages. */
const pageMax = 10_000;

export interface Page {
  readonly names: readonly string[];
  /** For the header `Link`, where there is more. */
  readonly link: string | undefined;
}

/** The part of a list that `n` and `last` ask for, in the order of bytes. `path` is what the list is under. */
export function pageOf(names: Iterable<string>, query: URLSearchParams, path: string): Page {
  const size = Math.min(readCount(query.get('n')), pageMax);
  const last = query.get('last') ?? '';
  const rest = [...names].sort().filter((name) => name > last);
  const page = rest.slice(0, size);
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return {names: page, link: undefined};
  const next = new URLSearchParams({n: String(size), last: end});
  return {names: page, link: `<${path}?${next}>; rel="next"`};
}

function readCount(text: string | null): number {
  if (text === null || text === '') return pageMax;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Refusal('PAGINATION_NUMBER_INVALID', `the number of results "${text}" is not a number`, {
    detail: {n: text},
  });
}
