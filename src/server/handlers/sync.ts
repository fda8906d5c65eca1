import type {Handlers} from '../../api/endpoint.ts';
import type {syncEndpoints} from '../../api/endpoints/sync.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Engine} from '../../engine/engine.ts';

export function syncHandlers({containers}: Engine): Handlers<typeof syncEndpoints> {
  return {
    containerSync: ({path: {id}, query, body, signal}) => {
      const {path, owner} = query;
      if (path === undefined || !path.startsWith('/')) {
        throw new TscomposeError(
          'invalid',
          `cannot sync into container "${id}": the path "${path ?? ''}" is not absolute`,
        );
      }
      return containers.sync(id, {path, ...(owner === undefined || owner === '' ? {} : {owner})}, body, signal);
    },
    containerSynced: ({path}) => containers.synced(path.id),
  };
}
