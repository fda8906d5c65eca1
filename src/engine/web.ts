import {TscomposeError} from '../base/errors.ts';
import {redactUrls} from '../base/redact-url.ts';
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
   * Goes where it is sent, up to ten times. Throws `notFound`, `unauthorized`, `forbidden`, `unavailable`, `timeout`, `invalid`, all
   * with the address.
   */
  get(request: WebRequest): Promise<WebFile>;
  close(): Promise<void>;
}

export type WebOptions = Pick<RegistryOptions, 'authorityFiles' | 'proxy' | 'userAgent'>;

/** As Go's client, which Docker has, does. */
const redirectsMax = 10;
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
    async get({url, authorization, signal}) {
      const purpose = `cannot fetch ${redactUrls(url.href)}`;
      const credentials = basicOf(url) ?? authorization;
      const response = await follow(await open(), {url, authorization: credentials, signal}, purpose);
      if (response.status === 200) return {headers: response.headers, body: await decoded(response)};
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
  return `Basic ${Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64')}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function follow(
  http: Http,
  {url: start, authorization, signal}: WebRequest,
  purpose: string,
): Promise<HttpResponse> {
  let url = start;
  for (let step = 0; step <= redirectsMax; step += 1) {
    const response = await http.send({
      method: 'GET',
      url,
      headers: {
        'accept-encoding': 'gzip',
        ...(authorization !== undefined && url.origin === start.origin && {authorization}),
      },
      tls: {verify: true, ca: []},
      purpose,
      signal,
    });
    const {location} = response.headers;
    if (!redirects.has(response.status) || location === undefined) return response;
    response.discard();
    if (!URL.canParse(location, url.href) || !/^https?:/.test(new URL(location, url).protocol))
      throw new TscomposeError('invalid', `${purpose}: ${url.host} sends us to no address of a web server`);
    url = new URL(location, url);
  }
  throw new TscomposeError('invalid', `${purpose}: it sends us on more than ${redirectsMax} times`);
}

/** What the server compressed for the way. Another encoding, which nobody asked for, is content, as for BuildKit. */
async function decoded({headers, body}: HttpResponse): Promise<AsyncIterable<Uint8Array>> {
  if (headers['content-encoding']?.toLowerCase() !== 'gzip') return body;
  const {decompress} = await import('./image/compression.ts');
  return decompress(body, 'gzip');
}
