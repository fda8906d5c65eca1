import {existsSync} from 'node:fs';
import {resolve} from 'node:path';
import {parseCacheFrom, parseCacheTo} from '../../api/build-caches.ts';
import {readContextSource} from '../../api/build-source.ts';
import {parseGitReference} from '../../api/git-reference.ts';
import type {BuildAgent, BuildBody, BuildContextSource, BuildSecret} from '../../api/types/build.ts';
import type {Ulimit} from '../../api/types/container.ts';
import {parseBytes} from '../../base/bytes.ts';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';

/** What is wrong with a flag. */
export function wrongFlag(flag: string, value: string, reason: string, hint?: string): TscomposeError {
  return new TscomposeError('invalid', `--${flag} ${value}: ${reason}`, {exitCode: exitCodes.usage, hint});
}

/** `key=value`; without a `=`, the value of the environment, and nothing where that has none. */
export function readPairs(
  flag: string,
  words: readonly string[],
  env: CliContext['env'],
): Readonly<Record<string, string>> {
  const pairs = words.flatMap((word) => {
    const equals = word.indexOf('=');
    const key = equals < 0 ? word : word.slice(0, equals);
    if (key === '') throw wrongFlag(flag, word, 'it has no name', `write --${flag} NAME=VALUE`);
    const value = equals < 0 ? env[key] : word.slice(equals + 1);
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(pairs);
}

/** `name=directory`, and all that a named context may be. */
export function readContexts(words: readonly string[], cwd: string): Readonly<Record<string, BuildContextSource>> {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf('=');
      if (equals < 1) throw wrongFlag('build-context', word, 'it has no name', 'write --build-context NAME=DIRECTORY');
      return [word.slice(0, equals), readContextSource(word.slice(equals + 1), (path) => resolve(cwd, path))];
    }),
  );
}

/** `id=name,src=file`, `id=name,env=VARIABLE`, or a file alone. */
export function readSecret(word: string, {cwd, env}: Pick<CliContext, 'cwd' | 'env'>): BuildSecret {
  const fields = new Map(word.split(',').map((field) => splitField(field)));
  for (const key of fields.keys()) {
    if (!['type', 'id', 'src', 'source', 'env'].includes(key))
      throw wrongFlag('secret', word, `"${key}" is not known`, 'keys are id, src, env, type');
  }
  const id = fields.get('id') ?? '';
  if (id === '') throw wrongFlag('secret', word, 'it has no id', 'write --secret id=NAME,src=FILE');
  const source = fields.get('src') ?? fields.get('source');
  const type = fields.get('type');
  const variable = fields.get('env') ?? (type === 'env' ? (source ?? id) : undefined);
  const named = variable ?? (source === undefined && type !== 'file' && env[id] !== undefined ? id : undefined);
  if (named === undefined) return {id, content: {path: resolve(cwd, source ?? id)}};
  return {id, content: {base64: Buffer.from(env[named] ?? '').toString('base64')}};
}

function splitField(field: string): readonly [string, string] {
  const equals = field.indexOf('=');
  return equals < 0 ? [field, ''] : [field.slice(0, equals), field.slice(equals + 1)];
}

/** `default`, `name=socket`, `name=key,key`: without any the socket of SSH_AUTH_SOCK. */
export function readAgent(word: string, {cwd, env}: Pick<CliContext, 'cwd' | 'env'>): BuildAgent {
  const [id, stated] = splitField(word);
  const [first = '', ...keys] = stated.split(',').map((path) => (path === '' ? '' : resolve(cwd, path)));
  const socket = stated === '' ? (env['SSH_AUTH_SOCK'] ?? '') : first;
  if (socket === '')
    throw wrongFlag('ssh', word, 'no agent runs: SSH_AUTH_SOCK is not set', 'start one: eval "$(ssh-agent)"');
  for (const path of [socket, ...keys]) if (!existsSync(path)) throw wrongFlag('ssh', word, `there is no ${path}`);
  return {id: id || 'default', socket, ...(keys.length > 0 && {keys})};
}

/** As buildx does: the agent that runs is given where a context is fetched by ssh and no other is named. */
export function agentsFor(
  body: Pick<BuildBody, 'source' | 'contexts' | 'agents'>,
  env: CliContext['env'],
): readonly BuildAgent[] {
  const socket = env['SSH_AUTH_SOCK'] ?? '';
  const sources = [body.source, ...Object.values(body.contexts)];
  const needed = sources.some((source) => source?.kind === 'git' && parseGitReference(source.url)?.scheme === 'ssh');
  if (!needed || body.agents.length > 0 || socket === '') return body.agents;
  return [{id: 'default', socket}];
}

/** `nofile=1024:2048`. */
export function readUlimit(word: string): Ulimit {
  const [, Name = '', soft = '', hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(word) ?? [];
  if (Name === '') throw wrongFlag('ulimit', word, 'it is no limit', 'write --ulimit nofile=1024:2048');
  return {Name, Soft: Number(soft), Hard: Number(hard)};
}

export function readSize(flag: string, word: string): number {
  const bytes = parseBytes(word);
  if (bytes === undefined) throw wrongFlag(flag, word, 'it is no size', `write --${flag} 64m`);
  return bytes;
}

/** Names of networks are not known to builds. */
export function readNetwork(word: string): BuildBody['network'] {
  const found = (['default', 'none', 'host'] as const).find((mode) => mode === word);
  if (found !== undefined) return found;
  if (word === 'bridge') return 'default';
  throw new TscomposeError(
    'unsupported',
    `--network ${word}: builds run on the default network, the machine's or none`,
    {
      hint: 'write --network default, host or none',
    },
  );
}

/** `--cache-from` and `--cache-to`. */
export function readCaches(
  flags: {readonly 'cache-from': readonly string[]; readonly 'cache-to': readonly string[]},
  cwd: string,
): Pick<BuildBody, 'cacheFrom' | 'cacheTo'> {
  const absolute = (path: string) => resolve(cwd, path);
  const from = flags['cache-from'].flatMap((text) => parseCacheFrom(text, absolute));
  const to = flags['cache-to'].flatMap((text) => parseCacheTo(text, absolute));
  return {...(from.length > 0 ? {cacheFrom: from} : {}), ...(to.length > 0 ? {cacheTo: to} : {})};
}
