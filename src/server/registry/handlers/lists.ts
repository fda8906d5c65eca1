import type {HostedManifest} from '../../../engine/hosting/records.ts';
import type {HandlerContext, RegistryHandlers} from '../handler.ts';
import {jsonResponse} from '../message.ts';
import {pageOf} from '../pages.ts';
import {Refusal} from '../refusal.ts';
import {checkDigest} from './blobs.ts';

type ListHandlers = Pick<RegistryHandlers, 'ping' | 'catalog' | 'listTags' | 'listReferrers' | 'searchPing' | 'search'>;

const indexType = 'application/vnd.oci.image.index.v1+json';
/** As Docker Hub has it. */
const searched = {most: 100, usual: 25} as const;

export function listHandlers({hosting}: HandlerContext): ListHandlers {
  return {
    ping: async () => jsonResponse({}),
    searchPing: async () => jsonResponse({standalone: true}, {'x-docker-registry-standalone': 'true'}),

    async catalog({request}) {
      const {names, link} = pageOf(await hosting.listRepositories(), request.query, '/v2/_catalog');
      return jsonResponse({repositories: names}, link === undefined ? {} : {link});
    },

    async listTags({request, parts: {name}}) {
      const tags = await hosting.listTags(name);
      if (tags === undefined) throw new Refusal('NAME_UNKNOWN', 'the repository is not known', {detail: {name}});
      const {names, link} = pageOf(tags, request.query, `/v2/${name}/tags/list`);
      return jsonResponse({name, tags: names}, link === undefined ? {} : {link});
    },

    async listReferrers({request, parts: {name, digest}}) {
      checkDigest(digest);
      const wanted = request.query.get('artifactType');
      const found = await hosting.listReferrers(name, digest);
      const all = new Map(
        found
          .filter(({artifactType}) => wanted === null || artifactType === wanted)
          .map((manifest) => [manifest.digest, descriptorOf(manifest)]),
      );
      const {names, link} = pageOf(all.keys(), request.query, `/v2/${name}/referrers/${digest}`, {
        bytes: (each) => Buffer.byteLength(JSON.stringify(all.get(each))),
        keep: ['artifactType'],
      });
      return jsonResponse(
        {schemaVersion: 2, mediaType: indexType, manifests: names.map((each) => all.get(each))},
        {
          'content-type': indexType,
          ...(wanted === null ? {} : {'oci-filters-applied': 'artifactType'}),
          ...(link === undefined ? {} : {link}),
        },
      );
    },

    async search({request: {query}}) {
      const text = (query.get('q') ?? '').toLowerCase();
      const count = Number(query.get('n') ?? searched.usual);
      if (!Number.isInteger(count) || count < 1 || count > searched.most) {
        throw new Refusal('PAGINATION_NUMBER_INVALID', `the number of results is between 1 and ${searched.most}`);
      }
      const names = (await hosting.listRepositories()).filter((name) => name.includes(text)).sort();
      const results = names
        .slice(0, count)
        .map((name) => ({name, description: '', star_count: 0, is_official: false, is_automated: false}));
      return jsonResponse({query: text, num_results: results.length, num_pages: 1, page: 1, page_size: count, results});
    },
  };
}

function descriptorOf({mediaType, digest, size, artifactType, annotations}: HostedManifest) {
  return {
    ...{mediaType, digest, size},
    ...(artifactType === undefined ? {} : {artifactType}),
    ...(annotations === undefined ? {} : {annotations}),
  };
}
