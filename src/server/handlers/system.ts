import type {Handlers} from '../../api/endpoint.ts';
import type {systemEndpoints} from '../../api/endpoints/system.ts';
import {checkFilters, knownFilters} from '../../api/filters.ts';
import type {Engine} from '../../engine/engine.ts';

export function systemHandlers({system}: Engine): Handlers<typeof systemEndpoints> {
  return {
    systemPing: async () => 'OK',
    systemPingHead: async () => {},
    systemVersion: () => system.version(),
    systemEvents: async ({query, signal}) => {
      checkFilters(query.filters, knownFilters.events);
      return system.events(
        {
          ...(query.since === undefined ? {} : {since: query.since}),
          ...(query.until === undefined ? {} : {until: query.until}),
          ...(query.filters === undefined ? {} : {filters: query.filters}),
        },
        signal,
      );
    },
  };
}
