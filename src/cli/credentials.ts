import type {AuthConfig} from '../api/types/image.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {parseReference} from '../engine/image/reference.ts';
import {authConfigOf, type Credential} from '../engine/registry/credential.ts';
import {type Credentials, createCredentials} from '../engine/registry/credentials/credentials.ts';
import {credentialKey} from '../engine/registry/credentials/server-address.ts';
import type {CliContext} from './context.ts';

/** The credentials of whoever runs the command. */
export function credentialsOf({env}: Pick<CliContext, 'env'>): Credentials {
  return createCredentials(env);
}

/** Is told where a registry is asked without a login, since the program that keeps the credentials fails. */
export type TellWarning = (warning: Diagnostic) => void;

/** What is known for a registry, or a warning and nothing. */
export async function findOrWarn(
  {env}: Pick<CliContext, 'env'>,
  {registry, repository}: {readonly registry: string; readonly repository?: string},
  tell: TellWarning,
): Promise<Credential | undefined> {
  const credentials = createCredentials(env, ({message, hint}) =>
    tell({
      ...{severity: 'warning', code: 'no-credentials', message: `${message}; ${registry} is asked without a login`},
      ...(hint !== undefined && {hint}),
    }),
  );
  return await credentials.find(registry, repository);
}

/** What a request about an image is sent with: undefined where its registry is asked anonymously. Throws `invalid` for a name that is none. */
export async function authFor(
  context: Pick<CliContext, 'env'>,
  image: string,
  tell: TellWarning,
): Promise<AuthConfig | undefined> {
  const {registry, repository} = parseReference(image);
  const found = await findOrWarn(context, {registry, repository}, tell);
  return found && authOf(found, registry);
}

/**
 * What a build is sent with: for the registries that any of its texts name, and for Docker Hub, which images without a registry
 * come from. No others are asked for: a helper may ask people. Without texts, as they are still to be fetched, for all.
 */
export async function authsForBuild(
  context: Pick<CliContext, 'env'>,
  texts: readonly string[] | undefined,
  tell: TellWarning,
): Promise<Readonly<Record<string, AuthConfig>>> {
  const registries = (await credentialsOf(context).registries()).filter(
    (registry) => texts === undefined || registry === 'docker.io' || texts.some((text) => text.includes(registry)),
  );
  const found = await Promise.all(registries.map((registry) => findOrWarn(context, {registry}, tell)));
  return Object.fromEntries(
    registries.flatMap((registry, index) => {
      const credential = found[index];
      return credential === undefined ? [] : [[credentialKey(registry), authOf(credential, registry)] as const];
    }),
  );
}

export function authOf(credential: Credential, registry: string): AuthConfig {
  return authConfigOf(credential, credentialKey(registry));
}
