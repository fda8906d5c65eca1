import {csvFields} from '../base/csv-fields.ts';
import {TscomposeError} from '../base/errors.ts';
import {readAnnotationKey} from './build-annotation.ts';
import type {BuildAnnotation, BuildOutput, ImageForm} from './types/build-output.ts';

/** The fields of an output as BuildKit's clients write them; `type` is among them. */
export type OutputFields = readonly (readonly [key: string, value: string | undefined])[];

/** What is wrong with a word that says what a build makes. */
function wrong(word: string, reason: string, hint?: string): TscomposeError {
  return new TscomposeError('invalid', `output ${word}: ${reason}`, {hint});
}

/**
 * `type=oci,dest=image.tar`, or a directory alone. `resolve` makes paths absolute; `-` stands for standard output and is left as
 * it is. Throws `invalid`, `unsupported`.
 */
export function parseOutput(word: string, resolve: (path: string) => string): BuildOutput {
  const fields = csvFields(word);
  const [[first, value] = ['', undefined], ...more] = fields;
  if (value === undefined && more.length === 0) {
    if (first === '') throw wrong('""', 'it says nothing', 'write a directory, or type=…');
    return first === '-' ? {kind: 'tar', path: '-'} : {kind: 'local', path: resolve(first)};
  }
  return readOutputFields(fields, {word, resolve});
}

interface Reading {
  /** As it was written, for messages. */
  readonly word: string;
  readonly resolve: (path: string) => string;
}

export function readOutputFields(fields: OutputFields, {word, resolve}: Reading): BuildOutput {
  const members = new Map(fields.map(([key, value]) => [key, value ?? '']));
  const type = members.get('type') ?? '';
  members.delete('type');
  const read = readers[type];
  if (read === undefined) {
    const known = Object.keys(readers).join(', ');
    throw new TscomposeError('unsupported', `output ${word}: there are no outputs of type "${type}"`, {
      hint: `types are ${known}`,
    });
  }
  const output = read(new Members(members, word, resolve));
  return output;
}

/** Takes members one by one; what is left is not known. */
class Members {
  readonly #left: Map<string, string>;
  readonly word: string;
  readonly #resolve: (path: string) => string;

  constructor(members: Map<string, string>, word: string, resolve: (path: string) => string) {
    this.#left = members;
    this.word = word;
    this.#resolve = resolve;
  }

  take(key: string): string | undefined {
    const value = this.#left.get(key);
    this.#left.delete(key);
    return value;
  }

  flag(key: string): boolean | undefined {
    const value = this.take(key);
    if (value === undefined) return undefined;
    if (/^(?:1|t|true)?$/i.test(value)) return true;
    if (/^(?:0|f|false)$/i.test(value)) return false;
    throw wrong(this.word, `"${key}" is true or false, and not "${value}"`);
  }

  path(): string | undefined {
    const value = this.take('dest');
    return value === undefined || value === '' || value === '-' ? value : this.#resolve(value);
  }

  keys(): readonly string[] {
    return [...this.#left.keys()];
  }

  /** Ends the reading. */
  end(known: readonly string[]): void {
    const [unknown] = this.#left.keys();
    if (unknown === undefined) return;
    const refusal = refused[unknown];
    if (refusal !== undefined)
      throw new TscomposeError('unsupported', `output ${this.word}: "${unknown}" is not supported: ${refusal}`);
    throw wrong(this.word, `"${unknown}" is not known`, `keys are ${known.join(', ')}`);
  }
}

/** What BuildKit knows and nothing would come of here. */
const refused: Readonly<Record<string, string>> = {
  unpack: 'an image is unpacked as it is made',
  store: 'an image of type=image always comes into the store; write type=oci for an archive alone',
  'push-by-digest': 'an image is pushed under its name',
  'registry.insecure': 'registries.json says which registries are insecure',
  'name-canonical': 'names have no digests in them',
  'dangling-name-prefix': 'an image without a name has none',
  'prefer-nondist-layers': 'layers of every kind are pushed',
  buildinfo: 'provenance has taken its place',
  context: 'the engine has one store',
};

const formKeys = ['name', 'compression', 'compression-level', 'force-compression', 'oci-mediatypes'];
const imageKeys = [...formKeys, 'rewrite-timestamp', 'annotation.KEY'];

const readers: Readonly<Record<string, (members: Members) => BuildOutput>> = {
  local: (members) => readFiles('local', members),
  tar: (members) => readFiles('tar', members),
  oci: (members) => readArchive('oci', members),
  docker: (members) => (members.keys().includes('dest') ? readArchive('docker', members) : readImage(false, members)),
  image: (members) => readImage(members.flag('push') ?? false, members),
  registry: (members) => readImage(members.flag('push') ?? true, members),
};

function readFiles(kind: 'local' | 'tar', members: Members): BuildOutput {
  const path = members.path() ?? '';
  const split = members.flag('platform-split');
  members.end(['dest', 'platform-split']);
  if (path === '' || (path === '-' && kind === 'local'))
    throw wrong(members.word, 'it does not say where to', `write type=${kind},dest=PATH`);
  return {kind, path, ...(split === undefined ? {} : {split})};
}

function readArchive(kind: 'oci' | 'docker', members: Members): BuildOutput {
  const path = members.path() ?? '-';
  const directory = members.flag('tar') === false;
  const form = readForm(members);
  members.end(['dest', 'tar', ...imageKeys]);
  if (directory && kind === 'docker') throw wrong(members.word, 'it is always an archive', 'write type=oci,tar=false');
  if (path === '' || (path === '-' && directory))
    throw wrong(members.word, 'it does not say where to', `write type=${kind},dest=PATH`);
  return {kind, path, ...(directory ? {directory} : {}), ...form};
}

function readImage(push: boolean, members: Members): BuildOutput {
  const form = readForm(members);
  members.end(['push', ...imageKeys]);
  return {kind: 'image', push, ...form};
}

function readForm(members: Members): ImageForm {
  const {word} = members;
  const names = members.take('name');
  const compression = members.take('compression');
  if (compression !== undefined && !isCompression(compression))
    throw new TscomposeError('unsupported', `output ${word}: layers are not compressed with "${compression}"`, {
      hint: 'write uncompressed, gzip or zstd',
    });
  const flags = {
    forceCompression: members.flag('force-compression'),
    ociMediaTypes: members.flag('oci-mediatypes'),
    rewriteTimestamp: members.flag('rewrite-timestamp'),
  };
  const annotations = readAnnotations(members);
  return {
    ...(names === undefined || names === '' ? {} : {names: names.split(',').map((name) => name.trim())}),
    ...(compression === undefined ? {} : {compression}),
    ...readLevel(members, compression),
    ...Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)),
    ...(annotations.length > 0 ? {annotations} : {}),
  };
}

function isCompression(text: string): text is NonNullable<ImageForm['compression']> {
  return text === 'uncompressed' || text === 'gzip' || text === 'zstd';
}

function readLevel(members: Members, compression: string | undefined): Pick<ImageForm, 'compressionLevel'> {
  const text = members.take('compression-level');
  if (text === undefined) return {};
  const most = compression === 'zstd' ? 22 : 9;
  const level = Number(text);
  if (/^\d+$/.test(text) && level <= most && compression !== 'uncompressed') return {compressionLevel: level};
  throw wrong(members.word, `"${text}" is no level of ${compression ?? 'gzip'}`, `levels are 0 to ${most}`);
}

function readAnnotations(members: Members): readonly BuildAnnotation[] {
  return members.keys().flatMap((key) => {
    const found = readAnnotationKey(key);
    return found === undefined ? [] : [{...found, value: members.take(key) ?? ''}];
  });
}
