import type {Handlers} from '../../api/endpoint.ts';
import type {buildEndpoints} from '../../api/endpoints/build.ts';
import type {Engine} from '../../engine/engine.ts';

export function buildHandlers({builds}: Engine): Handlers<typeof buildEndpoints> {
  return {
    buildPrune: ({query}) => builds.prune({all: query.all ?? false, filters: query.filters ?? {}}),
    build: async ({body, signal}) => builds.build(body, signal),
  };
}
