import type {ContainerConfig, HealthConfig} from '../../api/types/container.ts';
import type {ImageBuildConfig} from '../../api/types/image.ts';
import {TscomposeError} from '../../base/errors.ts';
import {isDigest} from './reference.ts';

/** An image's configuration (OCI image spec, config.md, with Docker's additions), checked. */
export interface ImageConfiguration {
  readonly architecture: string;
  readonly variant?: string;
  readonly os: string;
  /** RFC 3339; Docker's zero time where the image does not say. */
  readonly created: string;
  readonly author?: string;
  /** Of its last step, where it has none of its own. */
  readonly comment?: string;
  readonly config: ContainerConfig;
  /** The members of the same object that no container takes. */
  readonly forBuilds: ImageBuildConfig;
  /** Lowest first. */
  readonly diffIds: readonly string[];
}

type Members = Readonly<Record<string, unknown>>;

/** Throws `invalid`, naming the member; `what` names the image in the message. */
export function parseConfiguration(bytes: Uint8Array, what: string): ImageConfiguration {
  const value = parseJson(bytes, `${what}: its configuration`);
  const rootfs = objectIn(value, 'rootfs', what);
  const diffIds = rootfs['diff_ids'];
  if (!Array.isArray(diffIds) || !diffIds.every((id) => typeof id === 'string' && isDigest(id))) {
    throw wrong(what, 'rootfs.diff_ids', 'a list of sha256 digests');
  }
  const variant = textIn(value, 'variant', what);
  const author = textIn(value, 'author', what);
  const settings = value['config'] ?? {};
  if (!isObject(settings)) throw wrong(what, 'config', 'an object');
  const comment = textIn(value, 'comment', what) || lastComment(value['history']);
  return {
    architecture: textIn(value, 'architecture', what) ?? '',
    ...(variant ? {variant} : {}),
    os: textIn(value, 'os', what) || 'linux',
    created: textIn(value, 'created', what) || '0001-01-01T00:00:00Z',
    ...(author ? {author} : {}),
    ...(comment ? {comment} : {}),
    config: parseContainerConfig(settings, what),
    forBuilds: parseBuildConfig(settings, what),
    diffIds,
  };
}

function lastComment(history: unknown): string | undefined {
  const last: unknown = Array.isArray(history) ? history.at(-1) : undefined;
  return isObject(last) && typeof last['comment'] === 'string' ? last['comment'] : undefined;
}

/** Any JSON object. Throws `invalid`. */
export function parseJson(bytes: Uint8Array, what: string): Members {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
    if (isObject(value)) return value;
  } catch (cause) {
    throw new TscomposeError('invalid', `${what} is not JSON`, {cause});
  }
  throw new TscomposeError('invalid', `${what} is not a JSON object`);
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(what: string, member: string, expected: string): TscomposeError {
  return new TscomposeError('invalid', `${what}: its configuration's "${member}" is not ${expected}`);
}

function objectIn(value: Members, member: string, what: string): Members {
  const found = value[member];
  if (!isObject(found)) throw wrong(what, member, 'an object');
  return found;
}

function textIn(value: Members, member: string, what: string): string | undefined {
  const found = value[member];
  if (found === undefined || found === null) return undefined;
  if (typeof found !== 'string') throw wrong(what, member, 'a text');
  return found;
}

function textsIn(value: Members, member: string, what: string): readonly string[] | undefined {
  const found = value[member];
  if (found === undefined || found === null) return undefined;
  if (!Array.isArray(found) || !found.every((item) => typeof item === 'string')) {
    throw wrong(what, `config.${member}`, 'a list of texts');
  }
  return found;
}

/** `{"80/tcp": {}}`: only the keys say something. */
function keysIn(value: Members, member: string, what: string): Record<string, Record<string, never>> | undefined {
  const found = value[member];
  if (found === undefined || found === null) return undefined;
  if (!isObject(found)) throw wrong(what, `config.${member}`, 'an object');
  return Object.fromEntries(Object.keys(found).map((key) => [key, {}]));
}

function labelsIn(value: Members, what: string): Readonly<Record<string, string>> | undefined {
  const found = value['Labels'];
  if (found === undefined || found === null) return undefined;
  if (!isObject(found) || !Object.values(found).every((label) => typeof label === 'string')) {
    throw wrong(what, 'config.Labels', 'an object of texts');
  }
  return found as Readonly<Record<string, string>>;
}

function healthIn(value: Members, what: string): HealthConfig | undefined {
  const found = value['Healthcheck'];
  if (found === undefined || found === null) return undefined;
  if (!isObject(found)) throw wrong(what, 'config.Healthcheck', 'an object');
  const numbers = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'].flatMap((key) => {
    const number = found[key];
    if (number === undefined) return [];
    if (typeof number !== 'number') throw wrong(what, `config.Healthcheck.${key}`, 'a number');
    return [[key, number] as const];
  });
  return {Test: textsIn(found, 'Test', what) ?? [], ...Object.fromEntries(numbers)};
}

/** What a container takes from its image. */
function parseContainerConfig(value: Members, what: string): ContainerConfig {
  const entries: readonly (readonly [keyof ContainerConfig, unknown])[] = [
    ['User', textIn(value, 'User', what)],
    ['ExposedPorts', keysIn(value, 'ExposedPorts', what)],
    ['Env', textsIn(value, 'Env', what)],
    ['Entrypoint', textsIn(value, 'Entrypoint', what)],
    ['Cmd', textsIn(value, 'Cmd', what)],
    ['Volumes', keysIn(value, 'Volumes', what)],
    ['WorkingDir', textIn(value, 'WorkingDir', what)],
    ['Labels', labelsIn(value, what)],
    ['StopSignal', textIn(value, 'StopSignal', what)],
    ['Healthcheck', healthIn(value, what)],
  ];
  return Object.fromEntries(entries.filter(([, member]) => member !== undefined)) as ContainerConfig;
}

function parseBuildConfig(value: Members, what: string): ImageBuildConfig {
  const triggers = textsIn(value, 'OnBuild', what);
  const shell = textsIn(value, 'Shell', what);
  return {
    ...(triggers === undefined ? {} : {OnBuild: triggers}),
    ...(shell === undefined ? {} : {Shell: shell}),
    ...(value['ArgsEscaped'] === true ? {ArgsEscaped: true} : {}),
  };
}
