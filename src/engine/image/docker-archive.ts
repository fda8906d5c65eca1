import {readFile} from 'node:fs/promises';
import {TscomposeError} from '../../base/errors.ts';
import type {ArchiveFiles} from './archive.ts';
import type {StagedBlob} from './blobs.ts';
import {isObject} from './configuration.ts';
import type {TargetDescriptor} from './record.ts';
import {normaliseReference} from './reference.ts';

/** An image found in an archive: everything it needs, staged and not yet checked against its configuration. */
export interface Candidate {
  /** Normalised names. */
  readonly references: readonly string[];
  readonly configuration: StagedBlob;
  /** Lowest first. */
  readonly layers: readonly StagedBlob[];
  readonly manifest?: StagedBlob;
  /** The manifest or index that its names stand for. */
  readonly target?: TargetDescriptor;
  /** What else the target leads to: other platforms, attestations, as far as they are there. */
  readonly others?: readonly StagedBlob[];
}

/** JSON files of an archive are small; a larger one is an attack on memory. */
const jsonMax = 8 * 1024 * 1024;

export async function readStaged(blob: StagedBlob, name: string): Promise<Uint8Array> {
  if (blob.size > jsonMax) throw new TscomposeError('invalid', `the archive's ${name} is larger than 8 MiB`);
  return await readFile(blob.path);
}

/** What `docker save` writes: `manifest.json`, a list of `{Config, RepoTags, Layers}`. Undefined for another archive. */
export async function readDockerArchive(files: ArchiveFiles): Promise<readonly Candidate[] | undefined> {
  const manifest = await files.find('manifest.json');
  if (manifest === undefined) return undefined;
  const list = parseList(await readStaged(manifest, 'manifest.json'));
  return await Promise.all(
    list.map(async ({config, references, layers}) => ({
      references: references.map(normaliseReference),
      configuration: await need(files, config),
      layers: await Promise.all(layers.map((name) => need(files, name))),
    })),
  );
}

interface Item {
  readonly config: string;
  readonly references: readonly string[];
  readonly layers: readonly string[];
}

function parseList(bytes: Uint8Array): readonly Item[] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new TscomposeError('invalid', `the archive's manifest.json is not JSON`, {cause});
  }
  if (!Array.isArray(value)) throw new TscomposeError('invalid', `the archive's manifest.json is not a list`);
  return value.map((item: unknown, index) => {
    const {Config, RepoTags, Layers} = isObject(item) ? item : {};
    const isTexts = (list: unknown): list is readonly string[] =>
      Array.isArray(list) && list.every((text) => typeof text === 'string');
    if (
      typeof Config !== 'string' ||
      !isTexts(Layers) ||
      !(RepoTags === null || RepoTags === undefined || isTexts(RepoTags))
    ) {
      throw new TscomposeError(
        'invalid',
        `the archive's manifest.json: item ${index} has no Config, RepoTags and Layers`,
      );
    }
    return {config: Config, references: RepoTags ?? [], layers: Layers};
  });
}

async function need(files: ArchiveFiles, name: string): Promise<StagedBlob> {
  const blob = await files.find(name);
  if (blob === undefined) throw new TscomposeError('invalid', `the archive lacks ${name}, which its manifest names`);
  const expected = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
  if (expected !== undefined && blob.digest !== `sha256:${expected}`) {
    throw new TscomposeError('invalid', `${name} is damaged: its content is ${blob.digest}`);
  }
  return blob;
}
