import type {Handlers} from '../../api/endpoint.ts';
import type {systemEndpoints} from '../../api/endpoints/system.ts';
import {checkFilters, knownFilters} from '../../api/filters.ts';
import type {Engine} from '../../engine/engine.ts';

export function systemHandlers({system}: Engine): Handlers<typeof systemEndpoints> {
  return {
    systemPing: async () => 'OK',
    systemPingHead: async () => {},
    systemVersion: () => system.version(),
    systemInfo: () => system.info(),
    systemDf: ({query}) => system.df(query.type),
    systemEvents: async ({query, signal}) => {
      checkFilters(query.filters, knownFilters.events);
      return subscribed((onReady) =>
        system.events(
          {
            ...(query.since === undefined ? {} : {since: query.since}),
            ...(query.until === undefined ? {} : {until: query.until}),
            ...(query.filters === undefined ? {} : {filters: query.filters}),
            onReady,
          },
          signal,
        ),
      );
    },
  };
}

/** A stream that has begun: the answer to it tells the client that it misses nothing from now on. */
async function subscribed<T>(open: (onReady: () => void) => AsyncIterable<T>): Promise<AsyncIterable<T>> {
  let onReady = () => {};
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  const iterator = open(onReady)[Symbol.asyncIterator]();
  const first = iterator.next();
  await Promise.race([ready, first]);
  // Its failure is seen by whoever reads the stream.
  first.catch(() => {});
  return resumed(first, iterator);
}

async function* resumed<T>(first: Promise<IteratorResult<T>>, iterator: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    for (let next = await first; next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}
