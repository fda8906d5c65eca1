import {checkFilters, knownFilters, matchesLabels} from '../../api/filters.ts';
import type {ImageInspect} from '../../api/types/image.ts';
import type {Filters} from '../../api/types/system.ts';
import {TscomposeError} from '../../base/errors.ts';
import {type Now, parseNanoseconds} from '../clock.ts';
import {switchOf, timeOf} from '../prune/prune-filter.ts';

export interface ListFilter {
  matches(image: ImageInspect): boolean;
  /** Of a reference filter only the names that it means are listed. */
  isListed(name: string): boolean;
}

interface FilterContext {
  readonly now: Now;
  /** Throws `notFound`. */
  readonly find: (reference: string) => Promise<ImageInspect>;
}

/**
 * What a list may ask for, as Docker reads it: of references any may match, of labels, times and other images all count. Throws
 * `invalid` for what it does not know, `notFound` for an image that others are compared with.
 */
export async function readListFilter(filters: Filters, {now, find}: FilterContext): Promise<ListFilter> {
  checkFilters(filters, knownFilters.images);
  const {dangling, label, until = [], before = [], since = [], reference = []} = filters;
  const created = async (names: readonly string[]) =>
    await Promise.all(names.map(async (name) => createdNanoseconds(await find(name))));
  const [ends, starts] = await Promise.all([created(before), created(since)]);
  ends.push(...until.map((text) => BigInt(Math.round(timeOf(text, now))) * 1_000_000n));
  const wantsDangling = dangling === undefined ? undefined : switchOf(filters, 'dangling', true);
  const patterns = reference.map(namePattern);
  const isNamed = (name: string) =>
    patterns.some((pattern) => pattern.test(name) || pattern.test(withoutVersion(name)));
  return {
    isListed: (name) => patterns.length === 0 || isNamed(name),
    matches(image) {
      const names = [...image.RepoTags, ...image.RepoDigests];
      const time = createdNanoseconds(image);
      return (
        matchesLabels(image.Config.Labels, label) &&
        (wantsDangling === undefined || (names.length === 0) === wantsDangling) &&
        ends.every((end) => time < end) &&
        starts.every((start) => time > start) &&
        (patterns.length === 0 || names.some(isNamed))
      );
    },
  };
}

function createdNanoseconds({Created}: ImageInspect): bigint {
  return parseNanoseconds(Created) ?? 0n;
}

/** Without its tag or digest. */
function withoutVersion(name: string): string {
  return name.replace(/(?:@[^@/]*|:[^:/]*)$/, '');
}

/** A shell pattern that a name has to match whole (Go's path.Match: `*`, `?` and `[a-z]` stop at a slash). */
function namePattern(pattern: string): RegExp {
  const source = pattern.replace(/\\([\s\S])|\[(\^?)((?:\\[\s\S]|[^\]\\])+)\]|([*?])|([\s\S])/g, (...found) => {
    const [, escaped, negated, inside, wild, plain] = found as (string | undefined)[];
    if (inside !== undefined) return `(?!/)[${negated ? '^' : ''}${inside.replace(/[[^]/g, '\\$&')}]`;
    if (wild !== undefined) return wild === '*' ? '[^/]*' : '[^/]';
    if (escaped === undefined && (plain === '[' || plain === '\\')) throw wrong();
    return (escaped ?? plain ?? '').replace(/[.+^${}()|[\]\\*?/]/g, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`);
  } catch (cause) {
    throw wrong(cause);
  }
}

function wrong(cause?: unknown): TscomposeError {
  return new TscomposeError('invalid', 'syntax error in pattern', {cause});
}
