import {TscomposeError} from '../base/errors.ts';
import type {AuthConfig} from './types/image.ts';

/** Reads `X-Registry-Auth`. Throws `invalid`. */
export function parseRegistryAuth(header: string | undefined): AuthConfig {
  if (header === undefined || header === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  } catch (cause) {
    throw new TscomposeError('invalid', 'invalid X-Registry-Auth header: it is not base64 of JSON', {cause});
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TscomposeError('invalid', 'invalid X-Registry-Auth header: it is not an object');
  }
  const texts = Object.entries(value).filter((member): member is [string, string] => typeof member[1] === 'string');
  return Object.fromEntries(texts);
}

export function formatRegistryAuth(config: AuthConfig): string {
  return Buffer.from(JSON.stringify(config)).toString('base64url');
}
