import type {BuildBody} from '../../api/types/build.ts';
import type {AuthConfig} from '../../api/types/image.ts';
import {parseReference} from '../image/reference.ts';
import {credentialKey, registryOfAddress} from '../registry/credentials/server-address.ts';

/** The credentials of the registry that an image is of, whichever way its name is written. */
export function authFor(reference: string, auths: NonNullable<BuildBody['auths']>): AuthConfig {
  const {registry} = parseReference(reference);
  const exact = Object.hasOwn(auths, credentialKey(registry)) ? auths[credentialKey(registry)] : undefined;
  return exact ?? Object.entries(auths).find(([name]) => registryOfAddress(name) === registry)?.[1] ?? {};
}
