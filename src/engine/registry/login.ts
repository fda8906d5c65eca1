import {TscomposeError} from '../../base/errors.ts';
import {parseChallenges} from './challenge.ts';
import {basic, type Credential} from './credential.ts';
import type {RegistryEndpoint} from './endpoints.ts';
import type {Http, HttpResponse} from './http.ts';
import {sendRepeatedly} from './retry.ts';
import {errorOfResponse} from './status.ts';
import {fetchToken} from './token.ts';

/**
 * Checks credentials against a registry. Answers a refresh token where it gives one, to be kept in place of the password.
 * Throws `unauthorized`.
 */
export async function checkCredential(
  http: Http,
  endpoint: RegistryEndpoint,
  credential: Credential,
  signal: AbortSignal,
): Promise<{readonly identityToken: string | undefined}> {
  const response = await greet(http, endpoint, signal);
  response.discard();
  if (response.status === 200) return {identityToken: undefined};
  if (response.status === 404) throw notARegistry(endpoint);
  if (response.status !== 401) throw await errorOfResponse(response, {what: 'login', registry: endpoint.registry});
  const challenges = parseChallenges(response.all('www-authenticate'));
  const bearer = challenges.find(({scheme}) => scheme === 'bearer');
  if (bearer !== undefined) {
    const {token, refreshToken} = await fetchToken(http, {
      ...{challenge: bearer, scopes: [], credential, from: response.url, tls: endpoint.tls, signal, offline: true},
    });
    await confirm(http, endpoint, {url: response.url, authorization: `Bearer ${token}`, signal});
    return {identityToken: refreshToken};
  }
  if (!challenges.some(({scheme}) => scheme === 'basic')) throw notARegistry(endpoint);
  await confirm(http, endpoint, {url: response.url, authorization: basic(credential), signal});
  return {identityToken: undefined};
}

async function greet(http: Http, {bases, tls}: RegistryEndpoint, signal: AbortSignal): Promise<HttpResponse> {
  const [first = '', second] = bases;
  const ask = (base: string) =>
    sendRepeatedly(() => http.send({method: 'GET', url: new URL(`${base}/v2/`), tls, signal}), signal);
  if (second === undefined) return await ask(first);
  return await http
    .send({method: 'GET', url: new URL(`${first}/v2/`), tls, signal})
    .catch((error: unknown) => (signal.aborted ? Promise.reject(error) : ask(second)));
}

async function confirm(
  http: Http,
  {tls, registry}: RegistryEndpoint,
  {url, authorization, signal}: {readonly url: URL; readonly authorization: string; readonly signal: AbortSignal},
): Promise<void> {
  const send = () => http.send({method: 'GET', url, headers: {authorization}, tls, signal});
  const response = await sendRepeatedly(send, signal);
  if (response.status === 200) {
    response.discard();
    return;
  }
  const error = await errorOfResponse(response, {what: 'login', registry});
  if (response.status !== 401) throw error;
  throw new TscomposeError('unauthorized', `registry ${registry}: unauthorized: incorrect username or password`, {
    cause: error,
  });
}

function notARegistry({registry}: RegistryEndpoint): TscomposeError {
  return new TscomposeError('invalid', `what answers as ${registry} is not a registry`);
}
