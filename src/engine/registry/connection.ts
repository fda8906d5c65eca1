import {hasKind, TscomposeError} from '../../base/errors.ts';
import {checkTarget} from './addresses.ts';
import {type AuthorizerOptions, createAuthorizer} from './authorizer.ts';
import type {RegistryEndpoint} from './endpoints.ts';
import type {Http, HttpRequest, HttpResponse} from './http.ts';
import {sendRepeatedly} from './retry.ts';

export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** Below the endpoint's base (`/v2/library/redis/manifests/7`), or an address that the registry gave. */
  readonly target: string | URL;
  /** What a token has to allow: `repository:library/redis:pull`. */
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for each attempt. */
  readonly body?: () => Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  /** Asks once: the caller knows better how to go on after a failure. */
  readonly once?: boolean;
}

/** A registry or mirror, with somebody's credentials. */
export interface Connection {
  readonly endpoint: RegistryEndpoint;
  /** Any answer but 401 and those that pass by themselves. Throws `unauthorized`, `unavailable`, `timeout`, `forbidden`. */
  send(request: RegistryRequest): Promise<HttpResponse>;
}

const redirectsMax = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function connect({http, endpoint, credential, now}: AuthorizerOptions): Connection {
  const authorizer = createAuthorizer({http, endpoint, credential, now});
  let base: Promise<string> | undefined;
  const findBase = (signal: AbortSignal): Promise<string> => {
    base ??= chooseBase(http, endpoint, signal).catch((error: unknown) => {
      base = undefined;
      throw error;
    });
    return base;
  };
  const attempt = async (request: RegistryRequest): Promise<HttpResponse> => {
    const {scopes, signal, target} = request;
    const own = await findBase(signal);
    const url = target instanceof URL ? target : addressOf(own, target, endpoint);
    // An address that a registry gave may be of another host: that one gets nothing of ours.
    const ours = url.origin === new URL(own).origin;
    if (!ours) checkRedirect(url, new URL(own));
    const authorization = ours ? await authorizer.header(scopes, signal) : undefined;
    const first = await follow(http, endpoint, request, {url, authorization});
    if (first.status !== 401 || first.url.origin !== new URL(own).origin) return first;
    first.discard();
    const answer = await authorizer.answer(first, scopes, signal);
    const second = await follow(http, endpoint, request, {url, authorization: answer});
    if (second.status !== 401) return second;
    second.discard();
    throw credential === undefined
      ? denied(endpoint, scopes)
      : new TscomposeError('unauthorized', `registry ${endpoint.registry}: the credentials are not accepted`, {
          hint: `log in again: tscompose engine login${endpoint.registry === 'docker.io' ? '' : ` ${endpoint.registry}`}`,
        });
  };
  return {
    endpoint,
    send: (request) =>
      request.once === true ? attempt(request) : sendRepeatedly(() => attempt(request), request.signal),
  };
}

/**
 * One place may be the mirror of several registries, and is told which one is meant as containerd tells it. Not of Docker's own,
 * whose mirrors know by themselves, and not where the address of the mirror says it.
 */
function addressOf(base: string, target: string, {mirrorOf}: RegistryEndpoint): URL {
  const url = new URL(`${base}${target}`);
  if (mirrorOf !== undefined && mirrorOf !== 'docker.io' && new URL(base).pathname === '/')
    url.searchParams.set('ns', mirrorOf);
  return url;
}

/** https, or plain http where that is allowed and nothing speaks TLS there. */
async function chooseBase(http: Http, {bases, tls}: RegistryEndpoint, signal: AbortSignal): Promise<string> {
  const [first = '', second] = bases;
  if (second === undefined) return first;
  try {
    const response = await http.send({method: 'GET', url: new URL(`${first}/v2/`), tls, signal});
    response.discard();
    return first;
  } catch (error) {
    if (!hasKind(error, 'unavailable', 'timeout')) throw error;
    return second;
  }
}

interface Start {
  readonly url: URL;
  readonly authorization: string | undefined;
}

/** Goes where the registry sends us: its storage, mostly. Credentials stay with its own origin. */
async function follow(
  http: Http,
  endpoint: RegistryEndpoint,
  request: RegistryRequest,
  start: Start,
): Promise<HttpResponse> {
  let {url} = start;
  for (let step = 0; step <= redirectsMax; step += 1) {
    const ours = url.origin === start.url.origin;
    const headers = {
      ...request.headers,
      ...(ours && start.authorization !== undefined ? {authorization: start.authorization} : {}),
    };
    const body = request.body?.();
    const tls = ours ? endpoint.tls : {verify: endpoint.tls.verify, ca: endpoint.tls.ca};
    const {method, signal} = request;
    const response = await http.send({method, url, headers, tls, signal, ...(body === undefined ? {} : {body})});
    const location = response.headers['location'];
    if (!redirects.has(response.status) || location === undefined) return response;
    response.discard();
    if (body !== undefined) {
      throw new TscomposeError(
        'unsupported',
        `registry ${url.host} sends an upload to another place: ${placeOf(location, url)}`,
      );
    }
    const next = resolveLocation(location, url);
    checkRedirect(next, url);
    url = next;
  }
  throw new TscomposeError('invalid', `registry ${start.url.host} sends us from place to place without an end`);
}

/** An address as a registry writes it into `Location`. Throws `invalid`. */
export function resolveLocation(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) {
    throw new TscomposeError('invalid', `registry ${from.host} sends us to no valid address`);
  }
  return new URL(location, from);
}

/** Only the host: what follows is often signed, and whoever reads it may do what the registry let us do. */
function placeOf(location: string, from: URL): string {
  return resolveLocation(location, from).host;
}

function checkRedirect(target: URL, from: URL): void {
  if (target.protocol !== 'https:' && !(target.protocol === 'http:' && from.protocol === 'http:')) {
    throw new TscomposeError(
      'forbidden',
      `registry ${from.host} sends us to ${target.protocol}//${target.host}: only https is safe for that`,
    );
  }
  if (target.username !== '' || target.password !== '') {
    throw new TscomposeError('forbidden', `registry ${from.host} sends us to an address with a password in it`);
  }
  checkTarget(target, from, 'the place to go to');
}

function denied({registry}: RegistryEndpoint, scopes: readonly string[]): TscomposeError {
  const repository = /^repository:(.*):[^:]*$/.exec(scopes[0] ?? '')?.[1];
  // As Docker answers: who does not say who they are may not know what there is.
  const kind = scopes.every((scope) => scope.endsWith(':pull')) ? 'notFound' : 'unauthorized';
  return new TscomposeError(
    kind,
    repository === undefined
      ? `registry ${registry}: access denied: a login is needed`
      : `registry ${registry}: access denied for ${repository}: the repository does not exist, or a login is needed`,
    {hint: `log in: tscompose engine login${registry === 'docker.io' ? '' : ` ${registry}`}`},
  );
}
