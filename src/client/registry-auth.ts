import {formatRegistryAuth} from '../api/registry-auth.ts';
import type {AuthConfig} from '../api/types/image.ts';

/** Credentials as the header that goes with a request. */
export function registryAuth(auth: AuthConfig | undefined): {readonly registryAuth?: string} {
  return auth === undefined ? {} : {registryAuth: formatRegistryAuth(auth)};
}
