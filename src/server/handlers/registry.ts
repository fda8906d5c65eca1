import type {Handlers} from '../../api/endpoint.ts';
import type {registryEndpoints} from '../../api/endpoints/registry.ts';
import {parseRegistryAuth} from '../../api/registry-auth.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Engine} from '../../engine/engine.ts';

const searchDefault = 25;
const searchMax = 100;

export function registryHandlers({registry}: Engine): Handlers<typeof registryEndpoints> {
  return {
    imagePush: async ({path, query, headers, signal}) =>
      registry.push(
        {
          repository: path.name,
          tag: query.tag,
          platform: query.platform,
          auth: parseRegistryAuth(headers.registryAuth),
        },
        signal,
      ),
    imageSearch: ({query, headers, signal}) => {
      const {term = '', limit = searchDefault, filters} = query;
      if (term === '') throw new TscomposeError('invalid', 'cannot search: no term is given');
      if (limit < 0 || limit > searchMax) {
        throw new TscomposeError('invalid', `cannot search for ${limit} images: 1 to ${searchMax} are possible`);
      }
      const auth = parseRegistryAuth(headers.registryAuth);
      return registry.search({term, limit: limit === 0 ? searchDefault : limit, filters, auth}, signal);
    },
    systemAuth: ({body, signal}) => registry.login(body, signal),
    distributionInspect: ({path, query, headers, signal}) => {
      const {manifests = false, referrers = false} = query;
      const auth = parseRegistryAuth(headers.registryAuth);
      return registry.inspect({reference: path.name, auth, manifests, referrers}, signal);
    },
  };
}
