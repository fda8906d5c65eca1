import {TscomposeError} from '../../base/errors.ts';
import {type Challenge, parseChallenges} from './challenge.ts';
import {basic, type Credential} from './credential.ts';
import type {RegistryEndpoint} from './endpoints.ts';
import type {Http, HttpResponse} from './http.ts';
import {fetchToken, type Token} from './token.ts';

/** Knows how one registry wants to be asked, and keeps its tokens. */
export interface Authorizer {
  /** The header to send at first: undefined while nothing is known of the registry. */
  header(scopes: readonly string[], signal: AbortSignal): Promise<string | undefined>;
  /** The header to try after a 401. Throws `unauthorized` where there is none. */
  answer(response: HttpResponse, scopes: readonly string[], signal: AbortSignal): Promise<string>;
}

export interface AuthorizerOptions {
  readonly http: Http;
  readonly endpoint: RegistryEndpoint;
  readonly credential: Credential | undefined;
  readonly now: () => number;
}

/** A token is not used in its last seconds: it could run out on the way. */
const marginMs = 10_000;

export function createAuthorizer({http, endpoint, credential, now}: AuthorizerOptions): Authorizer {
  let known: {readonly challenge: Challenge; readonly from: URL} | undefined;
  const tokens = new Map<string, Promise<Token & {readonly untilMs: number}>>();

  const tokenFor = async (scopes: readonly string[], signal: AbortSignal): Promise<string> => {
    if (known === undefined) throw new TscomposeError('internal', 'no challenge is known');
    const {challenge, from} = known;
    const key = [...scopes].sort().join(' ');
    const kept = await tokens.get(key)?.catch(() => undefined);
    if (kept !== undefined && kept.untilMs > now()) return kept.token;
    const fetched = fetchToken(http, {challenge, scopes, credential, from, tls: endpoint.tls, signal}).then(
      (token) => ({...token, untilMs: now() + token.expiresInSeconds * 1000 - marginMs}),
    );
    tokens.set(key, fetched);
    return (await fetched).token;
  };

  const headerFor = async (scopes: readonly string[], signal: AbortSignal): Promise<string | undefined> => {
    if (credential?.registryToken !== undefined) return `Bearer ${credential.registryToken}`;
    if (known === undefined) return undefined;
    if (known.challenge.scheme === 'bearer') return `Bearer ${await tokenFor(scopes, signal)}`;
    return credential?.username === undefined ? undefined : basic(credential);
  };

  return {
    header: headerFor,
    async answer(response, scopes, signal) {
      const challenge = pick(parseChallenges(response.all('www-authenticate')), credential);
      if (challenge === undefined) throw refused(endpoint.registry, credential);
      known = {challenge, from: response.url};
      const asked = challenge.parameters['scope']?.split(' ').filter(Boolean) ?? [];
      // What was refused is not asked for again with the same token.
      tokens.delete([...scopes].sort().join(' '));
      const header = await headerFor([...new Set([...scopes, ...asked])], signal);
      if (header === undefined) throw refused(endpoint.registry, credential);
      return header;
    },
  };
}

function pick(challenges: readonly Challenge[], credential: Credential | undefined): Challenge | undefined {
  const bearer = challenges.find(({scheme, parameters}) => scheme === 'bearer' && parameters['realm'] !== undefined);
  if (bearer !== undefined) return bearer;
  return credential?.username === undefined ? undefined : challenges.find(({scheme}) => scheme === 'basic');
}

function refused(registry: string, credential: Credential | undefined): TscomposeError {
  const login = `tscompose engine login${registry === 'docker.io' ? '' : ` ${registry}`}`;
  return credential === undefined
    ? new TscomposeError('unauthorized', `registry ${registry}: no basic auth credentials`, {hint: `log in: ${login}`})
    : new TscomposeError('unauthorized', `registry ${registry}: unauthorized: incorrect username or password`, {
        hint: `log in again: ${login}`,
      });
}
