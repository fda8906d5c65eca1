import type {GitReference} from '../../../api/git-reference.ts';
import type {BuildAgent} from '../../../api/types/build.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {basic} from '../../registry/credential.ts';
import {createGit} from './git-program.ts';

/** Of the process that builds. */
export type HostEnvironment = Readonly<Record<string, string | undefined>>;

export interface GitAccess {
  readonly host: HostEnvironment;
  readonly agents: readonly BuildAgent[];
  /** What a secret of the build holds. */
  readonly secret: (id: string) => string | undefined;
  readonly signal: AbortSignal;
}

/** What git, ssh and credential helpers need to find their files and their way. */
const passed = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'],
  ...['XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS', 'GNUPGHOME'],
  ...['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'],
];

/** Where the configuration is, for git itself to find it. */
const places = ['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM'];

/** Of the user's configuration: how hosts are reached. Nothing else of it runs programs but credential helpers. */
const kept = /^(?:credential|http)\.|^url\..*\.(?:insteadof|pushinsteadof)$/;

/**
 * ssh without its user's configuration, which may name programs; keys, agent and known hosts are as always. A host that is
 * not known is refused.
 */
const sshCommand = [
  'ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o ClearAllForwardings=yes',
  '-o PermitLocalCommand=no -o ConnectTimeout=30 -o ServerAliveInterval=20 -o ServerAliveCountMax=3',
].join(' ');

/** Everything is stated: no file of configuration is read by what talks to the repository. Throws `unsupported`. */
export async function gitEnvironment(access: GitAccess): Promise<Readonly<Record<string, string>>> {
  const base = pick(access.host, passed);
  const own = {...base, ...pick(access.host, places), LC_ALL: 'C', GIT_DIR: '/dev/null'};
  const configuration = await readConfiguration(access, own);
  const socket = access.agents.find(({id}) => id === 'default')?.socket ?? access.host['SSH_AUTH_SOCK'];
  return {
    ...base,
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_ALLOW_PROTOCOL: 'https:http:ssh:git',
    GIT_SSH_COMMAND: sshCommand,
    GIT_SSH_VARIANT: 'ssh',
    ...(socket ? {SSH_AUTH_SOCK: socket} : {}),
    ...statedConfiguration(configuration),
  };
}

/**
 * The same with what one host is to be told: by the environment, which nobody else reads, and never by arguments. What is for
 * no host by name goes to that of the repository which was asked for, not to one that this names.
 */
export function withCredentials(
  environment: Readonly<Record<string, string>>,
  reference: GitReference,
  {secret, isNamed}: Pick<GitAccess, 'secret'> & {readonly isNamed: boolean},
): Readonly<Record<string, string>> {
  const found = credentialsOf(reference, (name) => {
    const own = secret(`${name}.${reference.host}`);
    return oneLine(name, own ?? (isNamed ? secret(name) : undefined));
  });
  if (found === undefined) return environment;
  const {scheme, host} = reference;
  // Git hands a header to whomever it is sent on to (its second request has it): with one it follows nobody.
  const isHeader = found[0].endsWith('.extraHeader');
  const stays = isHeader ? [[`http.${scheme}://${host}/.followRedirects`, 'false'] as const] : [];
  const count = Number(environment['GIT_CONFIG_COUNT'] ?? 0);
  return {...environment, ...statedConfiguration([found, ...stays], count)};
}

/** As BuildKit names secrets: one for a host goes before one for all. */
function credentialsOf(
  {scheme, host, user, password}: GitReference,
  secret: GitAccess['secret'],
): readonly [string, string] | undefined {
  if (scheme !== 'https' && scheme !== 'http') return undefined;
  const header = (value: string) => [`http.${scheme}://${host}/.extraHeader`, `Authorization: ${value}`] as const;
  if (password !== undefined) return header(basic({username: user ?? '', password}));
  const stated = secret('GIT_AUTH_HEADER');
  if (stated !== undefined) return header(stated);
  const token = secret('GIT_AUTH_TOKEN');
  if (token !== undefined) return header(basic({username: 'x-access-token', password: token}));
  return user === undefined ? undefined : [`credential.${scheme}://${host}.username`, user];
}

/** What is read from a file ends with a line's end. */
function oneLine(name: string, value: string | undefined): string | undefined {
  const text = value?.trim();
  if (text === undefined || text === '') return undefined;
  if (!/[\r\n\0]/.test(text)) return text;
  throw new TscomposeError('invalid', `secret "${name}" has more than one line`);
}

const leastMinor = 32;

async function readConfiguration(
  {signal}: GitAccess,
  environment: Readonly<Record<string, string>>,
): Promise<readonly (readonly [string, string])[]> {
  const git = createGit({environment, signal, fileMost: 1024 * 1024, what: 'cannot fetch a repository'});
  const told = await git.text(['--version']);
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(told) ?? []).map(Number);
  if (major < 2 || (major === 2 && minor < leastMinor)) {
    throw new TscomposeError('unsupported', `cannot fetch a repository: ${told.trim()} is too old`, {
      hint: `install git 2.${leastMinor} or newer, or clone the repository yourself and name the directory`,
    });
  }
  const listed = await git.text(['config', '--list', '--includes', '-z']).catch(() => '');
  return listed.split('\0').flatMap((entry) => {
    const cut = entry.indexOf('\n');
    const key = cut < 0 ? entry : entry.slice(0, cut);
    // A key without a value is true.
    return kept.test(key) ? [[key, cut < 0 ? 'true' : entry.slice(cut + 1)] as const] : [];
  });
}

/** After so many that are stated already. */
function statedConfiguration(
  pairs: readonly (readonly [string, string])[],
  before = 0,
): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(before + pairs.length)],
    ...pairs.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${before + index}`, key],
      [`GIT_CONFIG_VALUE_${before + index}`, value],
    ]),
  ]);
}

function pick(environment: HostEnvironment, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
