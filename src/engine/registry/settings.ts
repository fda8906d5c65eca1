import {readFile} from 'node:fs/promises';
import {BlockList, isIP} from 'node:net';
import {dirname, resolve} from 'node:path';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {validateRegistries} from '../generated/settings-validators.js';

/** How one registry, or all that a pattern fits, are reached (`schemas/registries.schema.json`). */
export interface RegistrySettings {
  /** Addresses to ask before the registry itself when something is pulled. */
  readonly mirrors?: readonly string[];
  /** Nothing is pulled from the registry itself. */
  readonly mirrorsOnly?: boolean;
  /** Certificates are not checked, and plain HTTP will do. */
  readonly insecure?: boolean;
  /** Files; absolute. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Answers what is set for a host (`docker.io`, `registry.example:5000`). */
export type SettingsOf = (host: string) => RegistrySettings;

/**
 * The settings of the first of the files that there is. Throws `invalid` naming the file and the member, `notFound` where one
 * is required.
 */
export async function readRegistrySettings({
  paths,
  isRequired,
}: {
  readonly paths: readonly string[];
  readonly isRequired: boolean;
}): Promise<SettingsOf> {
  for (const path of paths) {
    const text = await readOptional(path);
    if (text !== undefined) return parseRegistrySettings(text, path);
  }
  if (!isRequired) return () => ({});
  throw new TscomposeError('notFound', `cannot read ${paths.join(', ')}: no such file`);
}

/** Reads the text of a settings file; paths in it are relative to it. Throws `invalid`. */
function parseRegistrySettings(text: string, path: string): SettingsOf {
  const entries = Object.entries(parse(text, path).registries).map(([pattern, settings]) => ({
    ...matcher(pattern, path),
    settings: absolute(settings, dirname(path)),
  }));
  for (const {settings, pattern} of entries) {
    if ((settings.cert === undefined) !== (settings.key === undefined)) {
      throw new TscomposeError('invalid', `${path}: "${pattern}" needs both "cert" and "key", or neither`);
    }
  }
  // The closest last: it is laid over the others.
  const ordered = entries.sort((a, b) => a.closeness - b.closeness);
  return (host) => Object.assign({}, ...ordered.filter(({fits}) => fits(host)).map(({settings}) => settings));
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EACCES') throw new TscomposeError('forbidden', `cannot read ${path}: permission denied`);
    throw toTscomposeError(error, `cannot read ${path}`);
  }
}

function parse(text: string, path: string): {readonly registries: Readonly<Record<string, RegistrySettings>>} {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TscomposeError('invalid', `${path} is not JSON: ${cause instanceof Error ? cause.message : ''}`, {cause});
  }
  if (!validateRegistries(value)) {
    const problem = validateRegistries.errors?.[0];
    const member = problem?.params['additionalProperty'];
    const place = problem?.instancePath ? `${problem.instancePath} ` : '';
    const name = typeof member === 'string' ? `: "${member}"` : '';
    throw new TscomposeError('invalid', `${path}: ${place}${problem?.message ?? 'does not fit'}${name}`, {
      hint: 'schemas/registries.schema.json says what it may hold',
    });
  }
  return value as {readonly registries: Readonly<Record<string, RegistrySettings>>};
}

function absolute(settings: RegistrySettings, directory: string): RegistrySettings {
  const files = (['ca', 'cert', 'key'] as const).flatMap((name) => {
    const file = settings[name];
    return file === undefined ? [] : [[name, resolve(directory, file)] as const];
  });
  return {...settings, ...Object.fromEntries(files)};
}

interface Matcher {
  readonly pattern: string;
  /** The longer a pattern, the closer; a whole name is closest. */
  readonly closeness: number;
  readonly fits: (host: string) => boolean;
}

function matcher(pattern: string, path: string): Matcher {
  if (pattern === '*') return {pattern, closeness: 0, fits: () => true};
  if (pattern.startsWith('*.')) {
    const ending = pattern.slice(1).toLowerCase();
    return {pattern, closeness: 1000 + pattern.length, fits: (host) => nameOf(host).toLowerCase().endsWith(ending)};
  }
  if (pattern.includes('/')) {
    const {list, bits} = network(pattern, path);
    return {pattern, closeness: 500 + bits, fits: (host) => contains(list, nameOf(host))};
  }
  // Docker Hub has several names.
  const whole = pattern === 'index.docker.io' || pattern === 'registry-1.docker.io' ? 'docker.io' : pattern;
  return {pattern, closeness: 10_000, fits: (host) => host.toLowerCase() === whole.toLowerCase()};
}

function network(pattern: string, path: string): {readonly list: BlockList; readonly bits: number} {
  const [address = '', length = ''] = pattern.split('/');
  const family = isIP(address);
  const bits = Number(length);
  if (family === 0 || !/^\d{1,3}$/.test(length) || bits > (family === 4 ? 32 : 128)) {
    throw new TscomposeError('invalid', `${path}: "${pattern}" is neither a host nor a range of addresses`);
  }
  const list = new BlockList();
  list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  return {list, bits};
}

function contains(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** A host without its port, an IPv6 address without brackets. */
export function nameOf(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
