import type {AuthConfig} from '../../api/types/image.ts';
import {parseReference} from '../image/reference.ts';
import {credentialKey, registryOfAddress} from '../registry/credentials/server-address.ts';
import type {BuildRequest} from './context.ts';

/** The credentials of the registry that an image is of, whichever way its name is written. */
export async function authFor(
  reference: string,
  {auths = {}, client}: Pick<BuildRequest, 'auths' | 'client'>,
): Promise<AuthConfig> {
  const {registry} = parseReference(reference);
  const exact = Object.hasOwn(auths, credentialKey(registry)) ? auths[credentialKey(registry)] : undefined;
  const given = exact ?? Object.entries(auths).find(([name]) => registryOfAddress(name) === registry)?.[1];
  return given ?? (await client?.credentials(registry)) ?? {};
}
