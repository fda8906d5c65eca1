import {TscomposeError} from '../../base/errors.ts';
import type {Connection} from './connection.ts';
import {hasNextPage} from './next-page.ts';
import {readJson} from './read-body.ts';
import {errorOfResponse} from './status.ts';

const answerMax = 4 * 1024 * 1024;
const pageSize = 1000;
/** A list without an end is not read to it. */
const pagesMax = 100;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** The tags of a repository. */
export async function listTags(
  connection: Connection,
  repository: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = new Set<string>();
  let last: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const query = new URLSearchParams({n: String(pageSize), ...(last === undefined ? {} : {last})});
    const response = await connection.send({
      method: 'GET',
      target: `/v2/${repository}/tags/list?${query.toString()}`,
      scopes: [`repository:${repository}:pull`],
      signal,
    });
    const {registry} = connection.endpoint;
    if (response.status !== 200) throw await errorOfResponse(response, {what: `tags of ${repository}`, registry});
    const {tags} = await readJson(response, answerMax, 'the list of tags');
    const names = Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [];
    const before = found.size;
    for (const name of names) if (tagPattern.test(name)) found.add(name);
    last = names.at(-1);
    // Old registries answer all at once, whatever is asked for.
    if ((names.length < pageSize && !hasNextPage(response)) || last === undefined || found.size === before) break;
  }
  if (found.size > 0) return [...found];
  throw new TscomposeError('notFound', `registry ${connection.endpoint.registry}: ${repository} has no tags`);
}
