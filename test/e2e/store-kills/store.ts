import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ImageRecord, ReferenceRecord} from '../../../src/engine/image/record.ts';
import type {TestHost} from '../../support/host.ts';

/** What there is of content and of what is known of it, by name. */
export interface Content {
  readonly blobs: readonly string[];
  readonly layers: readonly string[];
  readonly layerRecords: readonly string[];
  readonly records: readonly string[];
  /** Leases, pins, downloads, locks, results of steps, caches of runs and directories of builds: by path. */
  readonly passing: readonly string[];
}

/** All that is there. */
export function presentContent({root, run}: TestHost): Content {
  const passing = [
    ...['images/leases', 'images/pins', 'images/ingest', 'build/cache', 'build/mounts'].map((path) => join(root, path)),
    join(run, 'builds'),
  ];
  return {
    blobs: list(join(root, 'images/oci/blobs/sha256')),
    layers: list(join(root, 'layers')).filter(isNotOfTheHost),
    layerRecords: list(join(root, 'images/layers')).filter(isNotOfTheHost),
    records: list(join(root, 'images/records')),
    passing: [
      ...passing.flatMap((directory) => list(directory).map((name) => join(directory, name))),
      ...list(join(root, 'locks')).filter((name) => /^(blob|layer)-/.test(name)),
    ],
  };
}

/** All that the names of images lead to, by reading the records and manifests themselves. */
export function neededContent({root}: TestHost): Content {
  const references = list(join(root, 'images/references')).map((name) =>
    readJson<ReferenceRecord>(join(root, 'images/references', name)),
  );
  const ids = new Set(references.map(({image}) => bare(image)));
  const images = [...ids].map((hex) => readJson<ImageRecord>(join(root, 'images/records', `${hex}.json`)));
  const layers = images.flatMap((image) => image.layers);
  const manifests = [...references.map(({target}) => target?.digest), ...images.map(({manifest}) => manifest)].flatMap(
    (digest) => (digest === undefined ? [] : [bare(digest)]),
  );
  const directories = sorted(layers.map(({directory}) => directory));
  return {
    blobs: sorted([
      ...ids,
      ...manifests,
      ...manifests.flatMap((hex) => namedBy(join(root, 'images/oci/blobs/sha256', hex), layers)),
      ...layers.filter(({made}) => made === undefined).map(({blob}) => bare(blob)),
    ]),
    layers: directories,
    layerRecords: directories.map((name) => `${name}.json`),
    records: sorted([...ids].map((hex) => `${hex}.json`)),
    passing: [],
  };
}

/** Without those whose archive is not kept. */
function namedBy(path: string, layers: ImageRecord['layers']): readonly string[] {
  const manifest = readJson<{readonly config: Named; readonly layers: readonly Named[]}>(path);
  const made = new Set(layers.filter((layer) => layer.made !== undefined).map(({blob}) => blob));
  return [manifest.config, ...manifest.layers].filter(({digest}) => !made.has(digest)).map(({digest}) => bare(digest));
}

interface Named {
  readonly digest: string;
}

function isNotOfTheHost(name: string): boolean {
  return !name.startsWith('host-');
}

function bare(digest: string): string {
  return digest.slice('sha256:'.length);
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
