import {createSecureContext, rootCertificates} from 'node:tls';
import {Agent, buildConnector, type Dispatcher, ProxyAgent} from 'undici';
import type {TlsSettings} from './endpoints.ts';

/** Connections to one host, of all that goes on at the same time. */
const connectionsMax = 8;

export interface DispatcherOptions {
  readonly tls: TlsSettings;
  /** Certificates in PEM that are trusted whatever the host. */
  readonly authorities: readonly string[];
  /** Address of the proxy by which everything goes. */
  readonly proxy: string | undefined;
  readonly stallMs: number;
}

/**
 * The only module that imports undici: in the built program it is a file of its own, which commands that need no registry
 * never read.
 */
export function createDispatcher({tls, authorities, proxy, stallMs}: DispatcherOptions): Dispatcher {
  const timeout = Math.min(stallMs, 30_000);
  const common = {connections: connectionsMax, connectTimeout: timeout};
  const connectTls = () => ({
    rejectUnauthorized: tls.verify,
    // Some hundred certificates: read once, and not for each connection.
    secureContext: createSecureContext({
      ...(tls.verify && {ca: [...rootCertificates, ...authorities, ...tls.ca]}),
      ...(tls.cert !== undefined && {cert: tls.cert, key: tls.key}),
    }),
  });
  if (proxy !== undefined) {
    return new ProxyAgent({
      ...common,
      uri: proxy,
      // What is plain is asked of the proxy, as Go and curl do it: most allow tunnels to port 443 alone.
      proxyTunnel: false,
      requestTls: connectTls(),
      // Who the proxy is has nothing to do with what is set for the registry.
      ...(proxy.startsWith('https:') && {
        proxyTls: {secureContext: createSecureContext({ca: [...rootCertificates, ...authorities]})},
      }),
    });
  }
  const plain = buildConnector({timeout});
  let secure: typeof plain | undefined;
  return new Agent({
    ...common,
    connect(options, callback) {
      if (options.protocol !== 'https:') return plain(options, callback);
      secure ??= buildConnector({timeout, ...connectTls()});
      return secure(options, callback);
    },
  });
}
