import type {Handlers} from '../../api/endpoint.ts';
import type {volumeEndpoints} from '../../api/endpoints/volumes.ts';
import {checkFilters, knownFilters} from '../../api/filters.ts';
import type {Engine} from '../../engine/engine.ts';

export function volumeHandlers({volumes}: Engine): Handlers<typeof volumeEndpoints> {
  return {
    volumePrune: ({query}) => volumes.prune(query.filters),
    volumeList: async ({query}) => {
      checkFilters(query.filters, knownFilters.volumes);
      return {Volumes: await volumes.list(query.filters), Warnings: []};
    },
    volumeInspect: ({path}) => volumes.inspect(path.name),
    volumeCreate: ({body}) => volumes.create(body),
    volumeDelete: ({path, query}) => volumes.remove(path.name, {force: query.force ?? false}),
  };
}
