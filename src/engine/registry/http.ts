import type {Dispatcher} from 'undici';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {readAuthorities} from './authorities.ts';
import type {TlsSettings} from './endpoints.ts';
import {type ProxySettings, proxyFor} from './proxies.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly tls: TlsSettings;
  /** Begins messages where no registry is asked: `cannot fetch http://…`. */
  readonly purpose?: string;
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Keys in lower case, the first value of each. */
  readonly headers: Readonly<Record<string, string>>;
  /** Every value of a header that came several times. */
  readonly all: (name: string) => readonly string[];
  readonly url: URL;
  readonly body: AsyncIterable<Uint8Array>;
  /** To be called where the body is not wanted. */
  discard(): void;
}

/** Plain requests: nothing is followed, decoded or repeated. */
export interface Http {
  /** Throws `unavailable` where the connection cannot be made or breaks, `forbidden` for a certificate, `timeout`. */
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

export interface HttpOptions {
  /** Files of certificates to trust whatever the host: see authorities.ts. */
  readonly authorityFiles: readonly (readonly string[])[];
  readonly proxy: ProxySettings;
  /** Nothing was heard for so long: the connection is given up. */
  readonly stallMs: number;
  /** `tscompose/1.2.3`. */
  readonly userAgent: string;
}

/** So many times as long as others a request is waited for that ends an upload. */
const putPatience = 10;

export function createHttp({authorityFiles, proxy, stallMs, userAgent}: HttpOptions): Http {
  const agents = new Map<string, Promise<Dispatcher>>();
  const createAgent = async (tls: TlsSettings, through: string | undefined): Promise<Dispatcher> => {
    const {createDispatcher} = await import('./dispatcher.ts');
    return createDispatcher({tls, authorities: await readAuthorities(authorityFiles), proxy: through, stallMs});
  };
  const agentFor = (url: URL, tls: TlsSettings): Promise<Dispatcher> => {
    const through = proxyFor(url, proxy);
    const key = JSON.stringify([tls, through]);
    const found = agents.get(key) ?? createAgent(tls, through);
    agents.set(key, found);
    return found;
  };
  return {
    async send({method, url, headers, body, tls, purpose, signal}) {
      const asked = {host: url.host, purpose};
      try {
        const agent = await agentFor(url, tls);
        const answer = await agent.request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method,
          headers: {'user-agent': userAgent, 'accept-encoding': 'identity', ...headers},
          body: body === undefined ? null : body instanceof Uint8Array ? Buffer.from(body) : (body as never),
          // A registry that puts a large blob together says nothing for long.
          headersTimeout: method === 'PUT' ? stallMs * putPatience : stallMs,
          bodyTimeout: stallMs,
          signal,
        });
        return responseOf(answer, url, asked);
      } catch (error) {
        throw explain(error, asked);
      }
    },
    async close() {
      // Whoever waits for one that cannot be made was told.
      const made = await Promise.allSettled(agents.values());
      await Promise.all(made.map(async (agent) => agent.status === 'fulfilled' && (await agent.value.destroy())));
    },
  };
}

function responseOf(answer: Dispatcher.ResponseData, url: URL, asked: Asked): HttpResponse {
  const headers: Record<string, string> = {};
  const values = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(answer.headers)) {
    const list = value === undefined ? [] : Array.isArray(value) ? value : [value];
    values.set(name.toLowerCase(), list);
    if (list[0] !== undefined) headers[name.toLowerCase()] = list[0];
  }
  return {
    status: answer.statusCode,
    headers,
    all: (name) => values.get(name) ?? [],
    url,
    body: readBody(answer.body, asked),
    discard: () => {
      // Destroyed, it tells of an error that nobody waits for.
      answer.body.on('error', () => undefined);
      answer.body.destroy();
    },
  };
}

async function* readBody(body: AsyncIterable<Uint8Array>, asked: Asked): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw explain(error, asked);
  }
}

const certificateCodes = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'its name cannot be resolved now',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'the network is unreachable',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
};

const offline: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

interface Asked {
  readonly host: string;
  readonly purpose: string | undefined;
}

/** An error of Node or undici as ours. */
function explain(error: unknown, {host, purpose}: Asked): unknown {
  if (error instanceof TscomposeError) return error;
  const {code = '', name = '', message = ''} = (error ?? {}) as NodeJS.ErrnoException;
  const what = purpose ?? `cannot reach registry ${host}`;
  // undici gives up the request itself, under the name of one that was stopped.
  const refused = /^Proxy response \((\d+)\)/.exec(message)?.[1];
  if (refused !== undefined)
    return new TscomposeError('unavailable', `${what}: the proxy answered ${refused}`, {cause: error});
  if (name === 'AbortError') return toTscomposeError(error);
  // What can be done about it, where it is a registry.
  const way = (hint: string) => ({cause: error, ...(purpose === undefined && {hint})});
  if (certificateCodes.has(code)) {
    const places = `into registries.json ("ca"), or into /etc/docker/certs.d/${host}/ca.crt`;
    const trusted = "put its authority's certificate among those that the machine trusts";
    return new TscomposeError('forbidden', `${what}: its certificate is not trusted: ${message}`, {
      cause: error,
      hint: purpose === undefined ? `${trusted}, ${places}` : trusted,
    });
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    const told = purpose === undefined ? `registry ${host}` : `${purpose}: ${host}`;
    return new TscomposeError('timeout', `${told} has stopped answering`, {cause: error});
  }
  if (/^ERR_SSL_|^EPROTO$/.test(code)) {
    const hint = 'where it has plain HTTP only, set "insecure" for it in registries.json';
    return new TscomposeError('unavailable', `${what}: it does not speak TLS as it should: ${code}`, way(hint));
  }
  const told = `${what}: ${reasons[code] ?? (message || code)}`;
  if (!offline.has(code)) return new TscomposeError('unavailable', told, {cause: error});
  return new TscomposeError(
    'unavailable',
    told,
    way('without a network images come by "tscompose load", or from a mirror'),
  );
}
