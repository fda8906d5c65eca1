import {TscomposeError} from '../../../base/errors.ts';
import {parseNanoseconds} from '../../clock.ts';
import {isObject} from '../../image/configuration.ts';
import {isDigest} from '../../image/reference.ts';

/** What a step resulted in, as it is told to other engines. */
export interface ToldStep {
  readonly key: string;
  /** When its layer was made; RFC 3339. */
  readonly created: string;
  /** Of the step that it is built upon, where that is told, too. */
  readonly parent: string | undefined;
  /** Digest of its layer's archive, packed. */
  readonly blob: string;
  readonly diffId: string;
  readonly mediaType: string;
  readonly size: number;
}

/** What a cache says it has, by the keys of steps. */
export interface ReadCache {
  readonly steps: ReadonlyMap<string, ReadStep>;
  /** There are results, but all of them under the keys of another builder. */
  readonly isForeign: boolean;
}

export interface ReadStep {
  readonly created: string;
  /** In the list of layers. */
  readonly layer: number;
}

export interface ReadLayer {
  readonly blob: string;
  readonly diffId: string | undefined;
}

/** BuildKit's name for the format. */
export const cacheConfigType = 'application/vnd.buildkit.cacheconfig.v0';

/** Beside a record: its digest is a key of ours. BuildKit ignores it. */
const builder = 'tscompose';

/** More than any build has. */
const countMax = 50_000;

/**
 * The list of layers and results in BuildKit's format (`cache/remotecache/v1`): each result under the digest that it is known
 * by, with links to those that it is made of.
 */
export function makeCacheConfig(steps: readonly ToldStep[]): string {
  const places = new Map(steps.map(({key}, index) => [key, index]));
  const placeOf = ({parent}: ToldStep) => (parent === undefined ? undefined : places.get(parent));
  const layers = steps.map((step) => ({
    blob: step.blob,
    parent: placeOf(step) ?? -1,
    annotations: {mediaType: step.mediaType, diffID: step.diffId, size: step.size, createdAt: step.created},
  }));
  return JSON.stringify({layers, records: makeRecords(steps, (_step, index) => index)});
}

/** The results alone, for an image whose layers are told by itself. */
export function makeRecords<T extends Pick<ToldStep, 'key' | 'created' | 'parent'>>(
  steps: readonly T[],
  layerOf: (step: T, index: number) => number,
): readonly object[] {
  const places = new Map(steps.map(({key}, index) => [key, index]));
  return steps.map((step, index) => {
    const link = step.parent === undefined ? undefined : places.get(step.parent);
    return {
      digest: `sha256:${step.key}`,
      ...(link === undefined ? {} : {inputs: [[{link}]]}),
      layers: [{layer: layerOf(step, index), createdAt: step.created}],
      builder,
    };
  });
}

/** The layers of a list that came from elsewhere. Throws `invalid` for one that is not as it should be. */
export function readLayers(value: unknown, what: string): readonly ReadLayer[] {
  const list = listOf(value, `${what}: layers`);
  const parents = list.map((item, index) => {
    const parent = isObject(item) ? item['parent'] : undefined;
    if (isPlace(parent, list.length)) return [parent];
    if (parent === -1 || parent === undefined) return [];
    throw new TscomposeError('invalid', `${what}: layer ${index} is upon one that is not in it`);
  });
  refuseCircle(parents, `${what}: its layers`);
  return list.map((item, index) => {
    const {blob, annotations} = isObject(item) ? item : {};
    if (typeof blob !== 'string' || !isDigest(blob))
      throw new TscomposeError('invalid', `${what}: layer ${index} has no sha256 digest`);
    const diffId = isObject(annotations) ? annotations['diffID'] : undefined;
    return {blob, diffId: typeof diffId === 'string' && isDigest(diffId) ? diffId : undefined};
  });
}

/** The same of the results, which are of so many layers. */
export function readRecords(value: unknown, layers: number, what: string): ReadCache {
  const list = listOf(value, `${what}: records`);
  refuseCircle(
    list.map((item, index) => linksOf(item, {count: list.length, what: `${what}: record ${index}`})),
    `${what}: its records`,
  );
  const steps = new Map<string, ReadStep>();
  let results = 0;
  for (const [index, item] of list.entries()) {
    if (!isObject(item)) continue;
    const [first] = listOf(item['layers'], `${what}: record ${index}: layers`);
    if (first === undefined) continue;
    const {layer, createdAt: created} = isObject(first) ? first : {};
    if (!isPlace(layer, layers))
      throw new TscomposeError('invalid', `${what}: record ${index} is of a layer that is not in it`);
    results++;
    const key = typeof item['digest'] === 'string' && isDigest(item['digest']) ? item['digest'].slice(7) : '';
    if (item['builder'] !== builder || key === '' || steps.has(key)) continue;
    if (typeof created === 'string' && parseNanoseconds(created) !== undefined) steps.set(key, {created, layer});
  }
  return {steps, isForeign: results > 0 && steps.size === 0};
}

function linksOf(item: unknown, {count, what}: {readonly count: number; readonly what: string}): readonly number[] {
  const inputs = listOf(isObject(item) ? item['inputs'] : undefined, `${what}: inputs`);
  return inputs
    .flatMap((input) => listOf(input, `${what}: inputs`))
    .map((input) => {
      const link = isObject(input) ? input['link'] : undefined;
      if (isPlace(link, count)) return link;
      throw new TscomposeError('invalid', `${what} is made of one that is not in it`);
    });
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new TscomposeError('invalid', `${what} are no list`);
  if (value.length > countMax) throw new TscomposeError('invalid', `${what} are more than ${countMax}`);
  return value;
}

function isPlace(value: unknown, count: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < count;
}

/** Takes away what leads nowhere until nothing is left, or only what goes round. */
function refuseCircle(edges: readonly (readonly number[])[], what: string): void {
  const waiting = edges.map(({length}) => length);
  const users: number[][] = edges.map(() => []);
  for (const [from, list] of edges.entries()) for (const to of list) users[to]?.push(from);
  const free = waiting.flatMap((count, index) => (count === 0 ? [index] : []));
  for (const done of free) {
    for (const user of users[done] ?? []) {
      const left = (waiting[user] ?? 0) - 1;
      waiting[user] = left;
      if (left === 0) free.push(user);
    }
  }
  if (free.length < edges.length) throw new TscomposeError('invalid', `${what} go round in a circle`);
}
