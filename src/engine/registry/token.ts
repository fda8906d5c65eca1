import {TscomposeError} from '../../base/errors.ts';
import {checkTarget} from './addresses.ts';
import type {Challenge} from './challenge.ts';
import {basic, type Credential} from './credential.ts';
import type {TlsSettings} from './endpoints.ts';
import type {Http, HttpResponse} from './http.ts';
import {readJson} from './read-body.ts';
import {sendRepeatedly} from './retry.ts';
import {errorOfResponse} from './status.ts';

/** https://distribution.github.io/distribution/spec/auth/token/ */
export interface TokenRequest {
  readonly challenge: Challenge;
  /** `repository:library/redis:pull`; the one that was asked for comes first, since some registries read no further. */
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
  /** Where the challenge came from. */
  readonly from: URL;
  readonly tls: TlsSettings;
  readonly signal: AbortSignal;
  /** A login: a refresh token is wanted too. */
  readonly offline?: boolean;
}

export interface Token {
  readonly token: string;
  readonly expiresInSeconds: number;
  readonly refreshToken?: string;
}

const clientId = 'tscompose';
const answerMax = 1024 * 1024;

/** Throws `unauthorized` where the credentials are refused, `forbidden` for an answer that points where it must not. */
export async function fetchToken(http: Http, request: TokenRequest): Promise<Token> {
  const realm = realmOf(request);
  // Certificates of a registry are not those of the server of tokens, unless that is the same.
  const tls = realm.host === request.from.host ? request.tls : {verify: request.tls.verify, ca: request.tls.ca};
  const send = request.credential?.identityToken === undefined ? askByGet : askByPost;
  const response = await sendRepeatedly(() => send(http, realm, {...request, tls}), request.signal);
  if (response.status !== 200) throw await refusal(response, request);
  const answer = await readJson(response, answerMax, 'the token');
  const token = answer['token'] ?? answer['access_token'];
  if (typeof token !== 'string' || token === '' || /[^\x21-\x7e]/.test(token)) {
    throw new TscomposeError('invalid', `registry ${request.from.host}: ${realm.host} answered without a token`);
  }
  const seconds = Number(answer['expires_in'] ?? 60);
  const refreshToken = answer['refresh_token'];
  return {
    token,
    expiresInSeconds: Number.isFinite(seconds) && seconds > 0 ? seconds : 60,
    ...(typeof refreshToken === 'string' && refreshToken !== '' ? {refreshToken} : {}),
  };
}

/** Credentials go where the realm says: it has to be as safe as the registry itself. */
function realmOf({challenge, from}: TokenRequest): URL {
  const text = challenge.parameters['realm'] ?? '';
  if (!URL.canParse(text)) {
    throw new TscomposeError('invalid', `registry ${from.host} asks for a token of no valid address: "${text}"`);
  }
  const realm = new URL(text);
  const plain = realm.protocol === 'http:' && from.protocol === 'http:';
  if (realm.protocol !== 'https:' && !plain) {
    throw new TscomposeError(
      'forbidden',
      `registry ${from.host} asks to get a token from ${realm.protocol}//${realm.host}: only https is safe for that`,
    );
  }
  if (realm.username !== '' || realm.password !== '') {
    throw new TscomposeError('forbidden', `registry ${from.host} asks for a token of an address with a password in it`);
  }
  checkTarget(realm, from, 'the place that gives tokens');
  return realm;
}

async function askByGet(http: Http, realm: URL, request: TokenRequest): Promise<HttpResponse> {
  const {challenge, scopes, credential, tls, signal} = request;
  const url = new URL(realm);
  const {service} = challenge.parameters;
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (request.offline === true) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', clientId);
  }
  if (credential?.username !== undefined) url.searchParams.set('account', credential.username);
  const headers: Record<string, string> = {};
  if (credential?.username !== undefined) headers['authorization'] = basic(credential);
  return await http.send({method: 'GET', url, headers, tls, signal});
}

/** https://distribution.github.io/distribution/spec/auth/oauth/: a refresh token is never part of an address. */
async function askByPost(http: Http, realm: URL, request: TokenRequest): Promise<HttpResponse> {
  const {challenge, scopes, credential, tls, signal} = request;
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: credential?.identityToken ?? '',
    client_id: clientId,
    scope: scopes.join(' '),
  });
  const {service} = challenge.parameters;
  if (service !== undefined) form.set('service', service);
  const headers = {'content-type': 'application/x-www-form-urlencoded'};
  return await http.send({method: 'POST', url: realm, headers, body: Buffer.from(form.toString()), tls, signal});
}

async function refusal(response: HttpResponse, {from, credential, offline}: TokenRequest): Promise<TscomposeError> {
  const error = await errorOfResponse(response, {what: 'a token', registry: from.host});
  if (response.status !== 401 && response.status !== 403 && response.status !== 400) return error;
  const reason = credential === undefined ? 'it wants to know who asks' : 'incorrect username or password';
  const login = `log in: tscompose engine login ${from.host === 'registry-1.docker.io' ? '' : from.host}`.trimEnd();
  // Whoever is logging in right now need not be told to.
  return new TscomposeError('unauthorized', `registry ${from.host}: unauthorized: ${reason}`, {
    ...(offline === true ? {} : {hint: login}),
    cause: error,
  });
}
