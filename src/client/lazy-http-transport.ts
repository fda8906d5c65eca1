import type {EngineAddress} from './host.ts';
import type {Transport} from './transport.ts';

/**
 * HTTP to an engine behind a unix socket or a TCP address, loaded by the first request: commands on the built-in engine
 * make none, and it would be a good part of what they load.
 */
export function lazyHttpTransport(address: EngineAddress): Transport {
  let loaded: Promise<Transport> | undefined;
  const open = (): Promise<Transport> => {
    loaded ??= import('./http-transport.ts').then(({httpTransport}) => httpTransport(address));
    return loaded;
  };
  return {
    call: async (request) => (await open()).call(request),
    upgrade: async (request) => (await open()).upgrade(request),
    features: async () => (await open()).features(),
    close: async () => (await loaded)?.close(),
  };
}
