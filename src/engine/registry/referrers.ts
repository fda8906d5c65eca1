import type {OciDescriptor} from '../../api/types/image.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {isObject} from '../image/configuration.ts';
import {parseDescriptor} from '../image/descriptors.ts';
import {type Connection, resolveLocation} from './connection.ts';
import type {HttpResponse} from './http.ts';
import {fetchManifest} from './manifest.ts';
import {readJson} from './read-body.ts';
import {indexType, referrersTag} from './referrers-tag.ts';
import {errorOfResponse} from './status.ts';

interface ReferrersRequest {
  readonly repository: string;
  /** Of what they are about. */
  readonly digest: string;
  readonly signal: AbortSignal;
}

const answerMax = 4 * 1024 * 1024;
/** A list without an end is not read to it. */
const pagesMax = 100;

/**
 * What says something about a manifest: signatures, lists of contents. A registry that has no such list has a tag in its place
 * (OCI distribution specification, "Referrers Tag Schema").
 */
export async function listReferrers(
  connection: Connection,
  request: ReferrersRequest,
): Promise<readonly OciDescriptor[]> {
  const {repository, digest, signal} = request;
  const found: OciDescriptor[] = [];
  let target: string | URL | undefined = `/v2/${repository}/referrers/${digest}`;
  for (let page = 0; page < pagesMax && target !== undefined; page += 1) {
    const response: HttpResponse = await connection.send({
      ...{method: 'GET', target, signal, headers: {accept: indexType}},
      scopes: [`repository:${repository}:pull`],
    });
    if (response.status === 404 || response.status === 405) {
      response.discard();
      return await listByTag(connection, request);
    }
    const {registry} = connection.endpoint;
    if (response.status !== 200) throw await errorOfResponse(response, {what: `referrers of ${digest}`, registry});
    found.push(...descriptorsIn(await readJson(response, answerMax, 'the list of referrers')));
    target = nextPage(response);
  }
  return unique(found);
}

async function listByTag(
  connection: Connection,
  {repository, digest, signal}: ReferrersRequest,
): Promise<readonly OciDescriptor[]> {
  try {
    const {bytes, content} = await fetchManifest(connection, {repository, reference: referrersTag(digest), signal});
    return content.kind === 'index' ? unique(descriptorsIn(JSON.parse(bytes.toString('utf8')))) : [];
  } catch (error) {
    if (hasKind(error, 'notFound')) return [];
    throw error;
  }
}

function descriptorsIn(index: Readonly<Record<string, unknown>>): readonly OciDescriptor[] {
  const {manifests} = index;
  if (!Array.isArray(manifests)) throw new TscomposeError('invalid', 'the list of referrers is no index');
  return manifests.map((item: unknown, at) => {
    const {mediaType, digest, size, annotations} = parseDescriptor(item, `the list of referrers: manifests[${at}]`);
    const artifactType = isObject(item) ? item['artifactType'] : undefined;
    return {
      ...{mediaType, digest, size},
      ...(typeof artifactType === 'string' ? {artifactType} : {}),
      ...(Object.keys(annotations).length === 0 ? {} : {annotations}),
    };
  });
}

/** Where the list goes on, within the registry: it leads nowhere else. */
function nextPage({headers, url}: HttpResponse): URL | undefined {
  const next = /<([^>]+)>\s*;\s*rel="?next"?/i.exec(headers['link'] ?? '')?.[1];
  const target = next === undefined ? undefined : resolveLocation(next, url);
  return target?.origin === url.origin ? target : undefined;
}

function unique(descriptors: readonly OciDescriptor[]): readonly OciDescriptor[] {
  return [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()];
}
