import {createSecureContext, rootCertificates} from 'node:tls';
import {Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent} from 'undici';
import type {TlsSettings} from './endpoints.ts';
import type {ProxySettings} from './http.ts';

/** Connections to one host, of all that goes on at the same time. */
const connectionsMax = 8;

export interface DispatcherOptions {
  readonly tls: TlsSettings;
  /** Certificates in PEM that are trusted whatever the host. */
  readonly authorities: readonly string[];
  readonly proxy: ProxySettings;
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
  if (!proxy.http && !proxy.https) {
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
  const connect = connectTls();
  const isSecureProxy = [proxy.http, proxy.https].some((address) => address?.startsWith('https:'));
  // What is on this machine is never behind a proxy.
  const noProxy = [proxy.none, 'localhost,127.0.0.1,::1'].filter(Boolean).join(',');
  return new EnvHttpProxyAgent({
    ...common,
    connect,
    requestTls: connect,
    // Who the proxy is has nothing to do with what is set for the registry.
    ...(isSecureProxy && {proxyTls: {secureContext: createSecureContext({ca: [...rootCertificates, ...authorities]})}}),
    httpProxy: proxy.http ?? '',
    httpsProxy: proxy.https ?? proxy.http ?? '',
    noProxy,
  });
}
