import {rootCertificates} from 'node:tls';
import {Agent, type Dispatcher, EnvHttpProxyAgent} from 'undici';
import type {TlsSettings} from './endpoints.ts';
import type {ProxySettings} from './http.ts';

/** Connections to one host, of all that goes on at the same time. */
const connectionsMax = 8;

/**
 * The only module that imports undici: in the built program it is a file of its own, which commands that need no registry
 * never read.
 */
export function createDispatcher(tls: TlsSettings, proxy: ProxySettings, stallMs: number): Dispatcher {
  const connect = {
    rejectUnauthorized: tls.verify,
    ...(tls.ca.length === 0 ? {} : {ca: [...rootCertificates, ...tls.ca]}),
    ...(tls.cert === undefined ? {} : {cert: tls.cert, key: tls.key}),
  };
  const options = {connections: connectionsMax, connectTimeout: Math.min(stallMs, 30_000), connect};
  if (!proxy.http && !proxy.https) return new Agent(options);
  // What is on this machine is never behind a proxy.
  const noProxy = [proxy.none, 'localhost,127.0.0.1,::1'].filter(Boolean).join(',');
  return new EnvHttpProxyAgent({
    ...options,
    requestTls: connect,
    httpProxy: proxy.http ?? '',
    httpsProxy: proxy.https ?? proxy.http ?? '',
    noProxy,
  });
}
