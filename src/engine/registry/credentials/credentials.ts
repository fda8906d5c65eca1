import {TscomposeError, toTscomposeError} from '../../../base/errors.ts';
import {isObject} from '../../image/configuration.ts';
import {type Credential, credentialOf} from '../credential.ts';
import {
  type AuthFile,
  type CredentialEnvironment,
  dockerConfigPath,
  parseAuthFile,
  podmanAuthPaths,
  readAuthFile,
  writeAuthFile,
} from './config-file.ts';
import {type CredentialHelper, credentialHelper} from './helper-program.ts';
import {credentialKey, registryOfAddress} from './server-address.ts';

/** Somebody's credentials: Docker's configuration file with its helpers, `DOCKER_AUTH_CONFIG`, podman's file. */
export interface Credentials {
  /** For a registry (`docker.io`); `repository` chooses where podman's file has one for a part of a registry. */
  find(registry: string, repository?: string): Promise<Credential | undefined>;
  /** Registries that there may be credentials for. */
  registries(): Promise<readonly string[]>;
  /** Answers where they were put: a file that has them readable, or a helper. */
  store(registry: string, credential: Credential): Promise<StoredIn>;
  /** False where there was nothing to forget. */
  erase(registry: string): Promise<boolean>;
}

export type StoredIn = {readonly file: string} | {readonly helper: string};

/**
 * `onFailed` is told why a helper gave nothing, and its registry is asked as anybody may: most images are for everybody. Without
 * it that is thrown.
 */
export function createCredentials(
  environment: CredentialEnvironment,
  onFailed?: (failure: TscomposeError) => void,
): Credentials {
  const path = dockerConfigPath(environment);
  const readDocker = async (): Promise<AuthFile> => (path === undefined ? {} : ((await readAuthFile(path)) ?? {}));
  const pathToWrite = (): string => {
    if (path !== undefined) return path;
    throw new TscomposeError('invalid', 'there is no place for credentials: neither HOME nor DOCKER_CONFIG is set');
  };
  return {
    async find(registry, repository) {
      const stated = environment.DOCKER_AUTH_CONFIG;
      if (stated) {
        const found = inFile(parseAuthFile(stated, 'DOCKER_AUTH_CONFIG'), registry);
        if (found !== undefined) return found;
      }
      const docker = await readDocker();
      const helper = helperOf(docker, registry, environment);
      const kept = await helper?.program.get(credentialKey(registry)).catch((error: unknown) => {
        if (onFailed === undefined) throw error;
        onFailed(toTscomposeError(error));
        return undefined;
      });
      const found = kept ?? inFile(docker, registry);
      return found ?? (await inPodman(environment, registry, repository));
    },

    async registries() {
      const stated = environment.DOCKER_AUTH_CONFIG;
      const podman = await Promise.all(podmanAuthPaths(environment).map((place) => readAuthFile(place)));
      const files: readonly AuthFile[] = [
        ...(stated ? [parseAuthFile(stated, 'DOCKER_AUTH_CONFIG')] : []),
        await readDocker(),
        ...podman.flatMap((file) => (file === undefined ? [] : [file])),
      ];
      const keys = files.flatMap((file) => [
        ...Object.keys(authsOf(file)),
        ...Object.keys(isObject(file['credHelpers']) ? file['credHelpers'] : {}),
      ]);
      return [...new Set(keys.map(registryOfAddress))];
    },

    async store(registry, credential) {
      const docker = await readDocker();
      const helper = helperOf(docker, registry, environment);
      const key = credentialKey(registry);
      if (helper !== undefined) {
        await helper.program.store(key, credential);
        // As Docker does: the file says that there are credentials, and the helper has them.
        await writeAuthFile(pathToWrite(), withAuth(docker, key, {}));
        return {helper: helper.name};
      }
      await writeAuthFile(pathToWrite(), withAuth(docker, key, entryOf(credential)));
      return {file: pathToWrite()};
    },

    async erase(registry) {
      const docker = await readDocker();
      const helper = helperOf(docker, registry, environment);
      await helper?.program.erase(credentialKey(registry));
      const auths = authsOf(docker);
      const kept = Object.fromEntries(Object.entries(auths).filter(([key]) => registryOfAddress(key) !== registry));
      const had = Object.keys(kept).length < Object.keys(auths).length;
      if (had) await writeAuthFile(pathToWrite(), {...docker, auths: kept});
      return had || helper !== undefined;
    },
  };
}

function authsOf(file: AuthFile): Readonly<Record<string, unknown>> {
  return isObject(file['auths']) ? file['auths'] : {};
}

function withAuth(file: AuthFile, key: string, entry: object): AuthFile {
  return {...file, auths: {...authsOf(file), [key]: entry}};
}

function entryOf({username = '', password = '', identityToken}: Credential): object {
  const secret = identityToken === undefined ? password : '';
  return {
    auth: Buffer.from(`${username}:${secret}`).toString('base64'),
    ...(identityToken === undefined ? {} : {identitytoken: identityToken}),
  };
}

/** The helper of a registry comes before the one for all. */
function helperOf(
  file: AuthFile,
  registry: string,
  environment: CredentialEnvironment,
): {readonly name: string; readonly program: CredentialHelper} | undefined {
  const helpers = isObject(file['credHelpers']) ? file['credHelpers'] : {};
  const name = helpers[credentialKey(registry)] ?? helpers[registry] ?? file['credsStore'];
  if (typeof name !== 'string' || name === '') return undefined;
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw new TscomposeError('invalid', `invalid credential helper "${name}"`);
  return {name, program: credentialHelper(name, environment)};
}

function inFile(file: AuthFile, registry: string): Credential | undefined {
  const auths = authsOf(file);
  const key = credentialKey(registry);
  const exact = Object.hasOwn(auths, key) ? auths[key] : undefined;
  const loose = () => Object.entries(auths).find(([name]) => registryOfAddress(name) === registry)?.[1];
  return read(exact ?? loose());
}

function read(entry: unknown): Credential | undefined {
  if (!isObject(entry)) return undefined;
  const texts = Object.entries(entry).filter((member): member is [string, string] => typeof member[1] === 'string');
  const {auth, username, password, identitytoken, registrytoken} = Object.fromEntries(texts);
  const found = credentialOf({
    ...(auth ? {auth} : {}),
    ...(username ? {username} : {}),
    ...(password ? {password} : {}),
    ...(identitytoken ? {identitytoken} : {}),
    ...(registrytoken ? {registrytoken} : {}),
  });
  // With a refresh token the name is nothing to log in with.
  return found?.identityToken === undefined ? found : {identityToken: found.identityToken};
}

/** The longest key that the repository is below. */
async function inPodman(
  environment: CredentialEnvironment,
  registry: string,
  repository: string | undefined,
): Promise<Credential | undefined> {
  for (const path of podmanAuthPaths(environment)) {
    const file = await readAuthFile(path);
    if (file === undefined) continue;
    const auths = authsOf(file);
    const parts = [registry, ...(repository?.split('/') ?? [])];
    for (let length = parts.length; length > 0; length -= 1) {
      const found = read(auths[parts.slice(0, length).join('/')]);
      if (found !== undefined) return found;
    }
    return inFile(file, registry);
  }
  return undefined;
}
