import {TscomposeError} from '../base/errors.ts';
import type {AuthConfig} from './types/image.ts';

/** Reads `X-Registry-Auth`. Throws `invalid`. */
export function parseRegistryAuth(header: string | undefined): AuthConfig {
  return textsIn(parseHeader('X-Registry-Auth', header));
}

/** Reads `X-Registry-Config`: credentials by registry. Throws `invalid`. */
export function parseRegistryConfig(header: string | undefined): Readonly<Record<string, AuthConfig>> {
  const entries = Object.entries(parseHeader('X-Registry-Config', header));
  return Object.fromEntries(
    entries.flatMap(([registry, auth]) =>
      typeof auth === 'object' && auth !== null ? [[registry, textsIn(auth)] as const] : [],
    ),
  );
}

function parseHeader(name: string, header: string | undefined): object {
  if (header === undefined || header === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  } catch {
    // Without its cause: that quotes what the parser stumbled over, which may be a password.
    throw new TscomposeError('invalid', `invalid ${name} header: it is not base64 of JSON`);
  }
  // So some clients say that they have none.
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new TscomposeError('invalid', `invalid ${name} header: it is not an object`);
  }
  return value;
}

function textsIn(value: object): AuthConfig {
  const texts = Object.entries(value).filter((member): member is [string, string] => typeof member[1] === 'string');
  return Object.fromEntries(texts);
}

/** Of one registry, or of several by their names. */
export function formatRegistryAuth(config: AuthConfig | Readonly<Record<string, AuthConfig>>): string {
  return Buffer.from(JSON.stringify(config)).toString('base64url');
}
