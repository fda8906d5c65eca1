import {TscomposeError} from '../base/errors.ts';
import type {BuildCacheSource, BuildCacheTarget, LayerPacking} from './types/build-cache.ts';

/** Makes a path absolute. */
type Absolute = (path: string) => string;

/** What `--cache-from` and `cache_from` say: `type=registry,ref=NAME`, `type=local,src=DIRECTORY`, or names of images alone. */
export function parseCacheFrom(text: string, absolute: Absolute): readonly BuildCacheSource[] {
  if (isNames(text)) return text.split(',').map((reference) => ({kind: 'registry', reference: reference.trim()}));
  const read = readFields(text);
  const type = read.type(['registry', 'local']);
  if (type === 'registry') {
    read.only(['type', 'ref']);
    return [{kind: 'registry', reference: read.needed('ref')}];
  }
  read.only(['type', 'src', 'tag', 'digest']);
  const digest = read.get('digest');
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw read.wrong(`digest=${digest} is no digest`, 'write digest=sha256: and 64 hexadecimal digits');
  const tag = read.get('tag');
  return [{kind: 'local', path: absolute(read.needed('src')), ...(tag && {tag}), ...(digest && {digest})}];
}

/** What `--cache-to` and `cache_to` say: `type=inline`, `type=registry,ref=NAME,mode=max`, `type=local,dest=DIRECTORY`, or a name alone. */
export function parseCacheTo(text: string, absolute: Absolute): readonly BuildCacheTarget[] {
  if (isNames(text))
    return text.split(',').map((reference) => ({kind: 'registry', reference: reference.trim(), mode: 'min'}));
  const read = readFields(text);
  const type = read.type(['inline', 'registry', 'local']);
  if (type === 'inline') {
    read.only(['type']);
    return [{kind: 'inline'}];
  }
  const shared = ['type', 'mode', 'oci-mediatypes', 'image-manifest', 'ignore-error', ...packingKeys];
  if (type === 'registry') {
    read.only([...shared, 'ref']);
    return [{kind: 'registry', reference: read.needed('ref'), ...readExport(read)}];
  }
  read.only([...shared, 'dest', 'tag', 'reset']);
  const [tag, reset] = [read.get('tag'), read.flag('reset')];
  const place = {path: absolute(read.needed('dest')), ...(tag && {tag}), ...(reset && {reset})};
  return [{kind: 'local', ...place, ...readExport(read)}];
}

const packingKeys = ['compression', 'compression-level', 'force-compression'];

function readExport(read: Fields) {
  const mode = read.oneOf('mode', ['min', 'max']) ?? 'min';
  const [ociMediaTypes, imageManifest] = [read.flag('oci-mediatypes'), read.flag('image-manifest')];
  if (ociMediaTypes === false && imageManifest === true)
    throw read.wrong('only OCI has caches in the shape of an image', 'leave out image-manifest or oci-mediatypes');
  const ignoreError = read.flag('ignore-error');
  return {
    mode,
    ...(ociMediaTypes === undefined ? {} : {ociMediaTypes}),
    ...(imageManifest === undefined ? {} : {imageManifest}),
    ...(ignoreError === undefined ? {} : {ignoreError}),
    ...readPacking(read),
  };
}

function readPacking(read: Fields): LayerPacking {
  if (read.get('compression') === 'estargz')
    throw new TscomposeError('unsupported', `cache "${read.text}": layers are not packed as estargz`, {
      hint: 'write compression=gzip, zstd or uncompressed',
    });
  const compression = read.oneOf('compression', ['uncompressed', 'gzip', 'zstd']);
  const level = read.get('compression-level');
  const most = compression === 'zstd' ? 22 : 9;
  if (level !== undefined && !(/^\d{1,2}$/.test(level) && Number(level) <= most))
    throw read.wrong(`compression-level=${level} is no level`, `write a number from 0 to ${most}`);
  const force = read.flag('force-compression');
  return {
    ...(compression === undefined ? {} : {compression}),
    ...(level === undefined ? {} : {level: Number(level)}),
    ...(force === undefined ? {} : {force}),
  };
}

function isNames(text: string): boolean {
  return text !== '' && !text.includes('=') && text.split(',').every((name) => name.trim() !== '');
}

interface Fields {
  readonly text: string;
  get(key: string): string | undefined;
  needed(key: string): string;
  flag(key: string): boolean | undefined;
  oneOf<T extends string>(key: string, values: readonly T[]): T | undefined;
  type<T extends string>(values: readonly T[]): T;
  /** Refuses keys that nothing is done with. */
  only(keys: readonly string[]): void;
  wrong(reason: string, hint?: string): TscomposeError;
}

function readFields(text: string): Fields {
  const fields = new Map(
    text.split(',').map((field): readonly [string, string] => {
      const equals = field.indexOf('=');
      return equals < 0 ? [field.trim(), ''] : [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
    }),
  );
  const wrong = (reason: string, hint?: string) => new TscomposeError('invalid', `cache "${text}": ${reason}`, {hint});
  const get = (key: string) => fields.get(key) || undefined;
  const oneOf = <T extends string>(key: string, values: readonly T[]): T | undefined => {
    const given = get(key);
    const found = values.find((value) => value === given);
    if (given !== undefined && found === undefined)
      throw wrong(`${key}=${given} is not known`, `write ${key}=${values.join(' or ')}`);
    return found;
  };
  return {
    text,
    get,
    oneOf,
    wrong,
    needed(key) {
      const value = get(key);
      if (value === undefined) throw wrong(`it has no ${key}`, `add ${key}=…`);
      return value;
    },
    flag(key) {
      const value = get(key);
      if (value === undefined) return undefined;
      if (/^(?:1|t|true)$/i.test(value)) return true;
      if (/^(?:0|f|false)$/i.test(value)) return false;
      throw wrong(`${key}=${value} is neither true nor false`);
    },
    type(values) {
      const type = get('type');
      if (type === undefined) throw wrong('it has no type', `write type=${values.join(' or type=')}`);
      if (elsewhere.has(type))
        throw new TscomposeError('unsupported', `cache "${text}": caches of the type "${type}" are not supported`, {
          hint: 'write type=registry, which services of this kind offer too, or type=local',
        });
      return oneOf('type', values) as (typeof values)[number];
    },
    only(keys) {
      for (const key of fields.keys())
        if (!keys.includes(key)) throw wrong(`"${key}" is not known`, `keys are ${keys.join(', ')}`);
    },
  };
}

/** What BuildKit keeps caches in besides. */
const elsewhere: ReadonlySet<string> = new Set(['gha', 's3', 'azblob']);
