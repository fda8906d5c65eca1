import type {AuthConfig} from '../../api/types/image.ts';
import {TscomposeError} from '../../base/errors.ts';

/** What a registry knows somebody by; without anything it is asked anonymously. */
export interface Credential {
  readonly username?: string;
  readonly password?: string;
  /** Refresh token (OAuth 2), got by a login. */
  readonly identityToken?: string;
  /** Sent as it is. */
  readonly registryToken?: string;
}

/** The header `Authorization` of who has a name and a password (RFC 7617). */
export function basic({username = '', password = ''}: Pick<Credential, 'username' | 'password'>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Undefined for one that says nothing. Throws `invalid` for a damaged one. */
export function credentialOf(config: AuthConfig): Credential | undefined {
  const {username, password} = config.auth ? splitAuth(config.auth) : config;
  const found = {
    ...(username ? {username} : {}),
    ...(password ? {password} : {}),
    ...(config.identitytoken ? {identityToken: config.identitytoken} : {}),
    ...(config.registrytoken ? {registryToken: config.registrytoken} : {}),
  };
  return Object.keys(found).length === 0 ? undefined : found;
}

function splitAuth(auth: string): {readonly username: string; readonly password: string} {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) throw new TscomposeError('invalid', 'invalid auth configuration: it is not base64 of user:password');
  return {username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '')};
}

export function authConfigOf(credential: Credential, serveraddress: string): AuthConfig {
  const {username, password, identityToken, registryToken} = credential;
  return {
    ...(username === undefined ? {} : {username}),
    ...(password === undefined ? {} : {password}),
    ...(identityToken === undefined ? {} : {identitytoken: identityToken}),
    ...(registryToken === undefined ? {} : {registrytoken: registryToken}),
    serveraddress,
  };
}
