import {checkFilters} from '../../api/filters.ts';
import type {ImageSearchResult} from '../../api/types/image.ts';
import type {Filters} from '../../api/types/system.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Connection} from './connection.ts';
import {hasNextPage} from './next-page.ts';
import {readJson} from './read-body.ts';
import {errorOfResponse} from './status.ts';

/** Docker Hub is searched at another place than it is pulled from; nobody needs a login for that. */
const hubIndex = 'https://index.docker.io';
const answerMax = 8 * 1024 * 1024;
const pageSize = 1000;
/** A catalog without an end is not read to it. */
const pagesMax = 100;

export interface SearchRequest {
  readonly term: string;
  readonly limit: number;
  readonly signal: AbortSignal;
}

/**
 * Repositories whose name has the term: by Docker Hub's search where a registry has that, else from its catalog. Throws
 * `unsupported` for a registry with neither.
 */
export async function searchRegistry(
  connection: Connection,
  request: SearchRequest,
): Promise<readonly ImageSearchResult[]> {
  return (await bySearch(connection, request)) ?? (await byCatalog(connection, request));
}

async function bySearch(
  connection: Connection,
  {term, limit, signal}: SearchRequest,
): Promise<readonly ImageSearchResult[] | undefined> {
  const path = `/v1/search?${new URLSearchParams({q: term, n: String(limit)}).toString()}`;
  const target = connection.endpoint.registry === 'docker.io' ? new URL(`${hubIndex}${path}`) : path;
  const response = await connection.send({method: 'GET', target, scopes: [], signal});
  if (response.status === 404 || response.status === 405) {
    response.discard();
    return undefined;
  }
  if (response.status !== 200) throw await refusal(connection, response, term);
  const {results} = await readJson(response, answerMax, 'the search');
  if (!Array.isArray(results)) {
    throw new TscomposeError(
      'invalid',
      `registry ${connection.endpoint.registry}: its search answered without results`,
    );
  }
  return results.flatMap(parseResult).slice(0, limit);
}

function parseResult(value: unknown): readonly ImageSearchResult[] {
  if (typeof value !== 'object' || value === null) return [];
  const members = new Map<string, unknown>(Object.entries(value));
  const name = members.get('name');
  if (typeof name !== 'string') return [];
  const description = members.get('description');
  const stars = members.get('star_count');
  return [
    {
      name,
      description: typeof description === 'string' ? description : '',
      star_count: typeof stars === 'number' ? stars : 0,
      is_official: members.get('is_official') === true,
      is_automated: members.get('is_automated') === true,
    },
  ];
}

async function byCatalog(
  connection: Connection,
  {term, limit, signal}: SearchRequest,
): Promise<readonly ImageSearchResult[]> {
  const found: ImageSearchResult[] = [];
  let last: string | undefined;
  for (let page = 0; page < pagesMax && found.length < limit; page += 1) {
    const {names, isLast} = await readPage(connection, {term, last, signal});
    for (const name of names) {
      if (name.includes(term)) {
        found.push({name, description: '', star_count: 0, is_official: false, is_automated: false});
      }
    }
    const end = names.at(-1);
    if (isLast || end === undefined || end === last) break;
    last = end;
  }
  return found.slice(0, limit);
}

async function readPage(
  connection: Connection,
  {term, last, signal}: {readonly term: string; readonly last: string | undefined; readonly signal: AbortSignal},
): Promise<{readonly names: readonly string[]; readonly isLast: boolean}> {
  const query = new URLSearchParams({n: String(pageSize), ...(last === undefined ? {} : {last})});
  const response = await connection.send({
    method: 'GET',
    target: `/v2/_catalog?${query.toString()}`,
    scopes: ['registry:catalog:*'],
    signal,
  });
  if (response.status === 404 || response.status === 405) {
    response.discard();
    throw new TscomposeError(
      'unsupported',
      `registry ${connection.endpoint.registry} can neither search nor list what it has`,
    );
  }
  if (response.status !== 200) throw await refusal(connection, response, term);
  const {repositories} = await readJson(response, answerMax, 'the catalog');
  const names = Array.isArray(repositories) ? repositories.filter((name) => typeof name === 'string') : [];
  return {names, isLast: names.length < pageSize && !hasNextPage(response)};
}

async function refusal(
  {endpoint}: Connection,
  response: Awaited<ReturnType<Connection['send']>>,
  term: string,
): Promise<TscomposeError> {
  return await errorOfResponse(response, {what: `search for "${term}"`, registry: endpoint.registry});
}

/** As Docker filters: `is-official`, `is-automated`, `stars`. Throws `invalid`. */
export function filterResults(results: readonly ImageSearchResult[], filters: Filters): ImageSearchResult[] {
  checkFilters(filters, ['is-official', 'is-automated', 'stars']);
  const stars = (filters['stars'] ?? []).map((value) => {
    if (/^\d+$/.test(value)) return Number(value);
    throw new TscomposeError('invalid', `invalid filter 'stars=${value}'`);
  });
  return results.filter(
    (result) =>
      matchesSwitch(filters, 'is-official', result.is_official) &&
      matchesSwitch(filters, 'is-automated', result.is_automated) &&
      stars.every((least) => result.star_count >= least),
  );
}

function matchesSwitch(filters: Filters, name: string, value: boolean): boolean {
  return (filters[name] ?? []).every((wanted) => {
    if (['true', '1'].includes(wanted)) return value;
    if (['false', '0'].includes(wanted)) return !value;
    throw new TscomposeError('invalid', `invalid filter '${name}=${wanted}'`);
  });
}
