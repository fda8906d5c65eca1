import type {Handlers} from '../../api/endpoint.ts';
import type {networkEndpoints} from '../../api/endpoints/networks.ts';
import {checkFilters, knownFilters} from '../../api/filters.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Engine} from '../../engine/engine.ts';

export function networkHandlers({networks}: Engine): Handlers<typeof networkEndpoints> {
  return {
    networkPrune: ({query}) => networks.prune(query.filters),
    networkList: async ({query}) => {
      checkFilters(query.filters, knownFilters.networks);
      return networks.list(query.filters);
    },
    networkInspect: ({path}) => networks.inspect(path.id),
    networkCreate: async ({body}) => {
      if (typeof body.Name !== 'string' || body.Name === '') {
        throw new TscomposeError('invalid', 'cannot create a network: it has no name');
      }
      return networks.create(body);
    },
    networkConnect: ({path, body}) => networks.connect(path.id, body),
    networkDisconnect: ({path, body}) => networks.disconnect(path.id, body),
    networkDelete: ({path}) => networks.remove(path.id),
  };
}
