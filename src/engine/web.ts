import {decodeUri} from '../base/decode-uri.ts';
import {hasKind, TscomposeError} from '../base/errors.ts';
import {redactUrls} from '../base/redact-url.ts';
import {basic} from './registry/credential.ts';
import type {Http, HttpResponse} from './registry/http.ts';
import type {RegistryOptions} from './registry/registries.ts';

export interface WebRequest {
  readonly url: URL;
  /** Where the address has no user. Either goes to its origin alone, however often that sends us on. */
  readonly authorization?: string | undefined;
  readonly signal: AbortSignal;
}

export interface WebFile {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Files of web servers: by the proxies and authorities by which registries are reached. */
export interface Web {
  /**
   * Goes where it is sent, in ten requests at most. Throws `notFound`, `unauthorized`, `forbidden`, `unavailable`, `timeout`,
   * `invalid`, with the address; what is compressed and damaged is told of while it is read.
   */
  get(request: WebRequest): Promise<WebFile>;
  close(): Promise<void>;
}

export type WebOptions = Pick<RegistryOptions, 'authorityFiles' | 'proxy' | 'userAgent'>;

/** As Go's client, which Docker has. */
const requestsMax = 10;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** A server that says nothing for so long is given up. */
const stallMs = 60_000;

const kinds: Readonly<Record<number, 'notFound' | 'unauthorized' | 'forbidden'>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
};

/** The client's code is loaded by the first request. */
export function createWeb(options: WebOptions): Web {
  let opened: Promise<Http> | undefined;
  const open = () => {
    opened ??= import('./registry/http.ts').then(({createHttp}) => createHttp({...options, stallMs}));
    return opened;
  };
  return {
    async get(request) {
      const response = await follow(await open(), request);
      const purpose = purposeOf(request.url, response.url);
      if (response.status >= 200 && response.status < 300)
        return {headers: response.headers, body: decoded(response, purpose)};
      response.discard();
      const kind = kinds[response.status] ?? 'unavailable';
      throw new TscomposeError(kind, `${purpose}: the server answered ${response.status}`);
    },
    close: async () => (await opened)?.close(),
  };
}

/** An address with http or https. Throws `invalid`. */
export function webAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new TscomposeError('invalid', `"${redactUrls(text)}" is no address of a web server`);
}

function basicOf({username, password}: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  return basic({username: decodeUri(username), password: decodeUri(password)});
}

/** Begins messages. Where it was sent on, another server is the one that fails. */
function purposeOf(start: URL, url: URL): string {
  const purpose = `cannot fetch ${redactUrls(start.href)}`;
  return url.host === start.host ? purpose : `${purpose}: ${url.host}`;
}

async function follow(http: Http, {url: start, authorization, signal}: WebRequest): Promise<HttpResponse> {
  let url = start;
  let credentials = basicOf(start) ?? authorization;
  for (let made = 0; made < requestsMax; made += 1) {
    const response = await http.send({
      method: 'GET',
      url,
      headers: {'accept-encoding': 'gzip', ...(credentials !== undefined && {authorization: credentials})},
      tls: {verify: true, ca: []},
      purpose: purposeOf(start, url),
      signal,
    });
    const {location} = response.headers;
    if (!redirects.has(response.status) || location === undefined) return response;
    response.discard();
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (next === undefined || !/^https?:$/.test(next.protocol))
      throw new TscomposeError('invalid', `${purposeOf(start, url)}: it sends us to no address of a web server`);
    // They do not come back either, where another place sends us on to the first.
    if (next.origin !== url.origin) credentials = undefined;
    credentials = basicOf(next) ?? credentials;
    url = next;
  }
  throw new TscomposeError('invalid', `${purposeOf(start, start)}: we are sent on ${requestsMax} times`);
}

/** What the server compressed for the way. Another encoding, which nobody asked for, is content, as for BuildKit. */
function decoded({headers, body}: HttpResponse, purpose: string): AsyncIterable<Uint8Array> {
  const isPlain = headers['content-encoding']?.toLowerCase() !== 'gzip' || headers['content-length'] === '0';
  return isPlain ? body : decompressed(body, purpose);
}

/** Nothing is begun before the first piece is wanted: it may never be. */
async function* decompressed(body: AsyncIterable<Uint8Array>, purpose: string): AsyncGenerator<Uint8Array> {
  const {decompress} = await import('./image/compression.ts');
  try {
    yield* decompress(body, 'gzip');
  } catch (error) {
    if (!hasKind(error, 'invalid') || !(error instanceof Error)) throw error;
    throw new TscomposeError('invalid', `${purpose}: ${error.message}`, {cause: error});
  }
}
