import {randomUUID} from 'node:crypto';
import {chmod, chown, mkdir, realpath, rename, rm, stat, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {TscomposeError, toTscomposeError} from '../../../base/errors.ts';
import {readFile} from '../../at-once.ts';
import {isObject} from '../../image/configuration.ts';

/** Variables that say where credentials are; helpers get all of them. */
export interface CredentialEnvironment {
  readonly [name: string]: string | undefined;
  readonly HOME?: string | undefined;
  readonly PATH?: string | undefined;
  readonly DOCKER_CONFIG?: string | undefined;
  readonly DOCKER_AUTH_CONFIG?: string | undefined;
  readonly REGISTRY_AUTH_FILE?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
  readonly XDG_CONFIG_HOME?: string | undefined;
}

/** `config.json` of Docker, or `auth.json` of podman: what is not known of it is kept. */
export type AuthFile = Readonly<Record<string, unknown>>;

/** Docker's file: `$DOCKER_CONFIG/config.json`, else in the home directory. Undefined without a home. */
export function dockerConfigPath({DOCKER_CONFIG, HOME}: CredentialEnvironment): string | undefined {
  if (DOCKER_CONFIG) return join(DOCKER_CONFIG, 'config.json');
  return HOME ? join(HOME, '.docker', 'config.json') : undefined;
}

/** Podman's files, which are only read: the first that there is. */
export function podmanAuthPaths(environment: CredentialEnvironment): readonly string[] {
  const {REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, XDG_CONFIG_HOME, HOME} = environment;
  if (REGISTRY_AUTH_FILE) return [REGISTRY_AUTH_FILE];
  const configuration = XDG_CONFIG_HOME ?? (HOME ? join(HOME, '.config') : undefined);
  return [
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'containers', 'auth.json')] : []),
    ...(configuration ? [join(configuration, 'containers', 'auth.json')] : []),
  ];
}

/** Undefined where there is none. Throws `invalid` for a damaged one. */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw toTscomposeError(error, `cannot read ${path}`);
  }
  return text.trim() === '' ? {} : parseAuthFile(text, path);
}

export function parseAuthFile(text: string, path: string): AuthFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes what it stumbled over, which may be a password.
    throw new TscomposeError('invalid', `${path} is not JSON`, {hint: 'its content should be {"auths": {…}}'});
  }
  if (isObject(value)) return value;
  throw new TscomposeError('invalid', `${path} is not a JSON object`);
}

/** Replaces the file whole, for nobody but its owner to read; a link stays a link. */
export async function writeAuthFile(path: string, content: AuthFile): Promise<void> {
  await mkdir(dirname(path), {recursive: true, mode: 0o700});
  const target = await realpath(path).catch(() => path);
  const temporary = `${target}.${randomUUID()}`;
  try {
    await writeFile(temporary, `${JSON.stringify(content, null, '\t')}\n`, {mode: 0o600, flag: 'wx', flush: true});
    await chmod(temporary, 0o600);
    await keepOwner(target, temporary);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, {force: true});
    throw toTscomposeError(error, `cannot write ${path}`);
  }
}

/** Root who logs in with another's home leaves the file to its owner. */
async function keepOwner(target: string, temporary: string): Promise<void> {
  const before = await stat(target).catch(() => undefined);
  if (before === undefined || process.geteuid?.() !== 0) return;
  await chown(temporary, before.uid, before.gid);
}
