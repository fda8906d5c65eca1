import {createHash} from 'node:crypto';
import {lstat, mkdir, realpath, rename} from 'node:fs/promises';
import {join} from 'node:path';
import type {ImageHistoryItem, ImageInspect} from '../../api/types/image.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {SetupOperation} from '../helper/operations.ts';
import {temporaryPrefix} from '../record-store.ts';
import type {ImageContext} from './context.ts';
import {writeSkeleton} from './host-skeleton.ts';
import {type HostTree, planHostTree} from './host-tree.ts';
import {normaliseArchitecture} from './platform.ts';

/** The built-in image: the machine's own programs, nothing else of the machine. */
export const hostReference = 'docker.io/tscompose/host:latest';
/** Its skeleton directories under `layers/`. */
export const hostLayerPrefix = 'host-';

const created = '2026-01-01T00:00:00Z';

/** Its configuration, made here instead of being kept: the id is its digest, as with any image. */
export function hostImage(architecture: string): ImageInspect {
  const config = {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: ['/bin/sh'],
    WorkingDir: '/',
  };
  const body = {
    architecture: normaliseArchitecture(architecture),
    os: 'linux',
    created,
    config,
    rootfs: {type: 'layers', diff_ids: []},
  };
  return {
    Id: `sha256:${createHash('sha256').update(JSON.stringify(body)).digest('hex')}`,
    RepoTags: ['tscompose/host:latest'],
    RepoDigests: [],
    Created: created,
    Architecture: body.architecture,
    Os: 'linux',
    Size: 0,
    Config: config,
    RootFS: {Type: 'layers', Layers: []},
  };
}

export function hostHistory({Id, RepoTags}: ImageInspect): ImageHistoryItem[] {
  return [
    {
      ...{Id, Created: Date.parse(created) / 1000, Tags: RepoTags, Size: 0, Comment: ''},
      CreatedBy: "the machine's own programs",
    },
  ];
}

/** The name is ours: an archive or a tag cannot take it. Throws `conflict`. */
export function refuseHostReference(normalised: string): void {
  if (!normalised.startsWith('docker.io/tscompose/host:')) return;
  throw new TscomposeError('conflict', 'the image name "tscompose/host" belongs to the built-in image');
}

/** How a container stacks it: a skeleton directory below, and binds of the machine's directories, read-only. */
export async function hostRoot(
  context: ImageContext,
): Promise<{readonly lowers: readonly string[]; readonly operations: readonly SetupOperation[]}> {
  const tree = await planHostTree(await realpath(context.nodePath));
  return {lowers: [await provideSkeleton(context, tree)], operations: tree.binds.map(bindReadOnly)};
}

function bindReadOnly({source, target}: HostTree['binds'][number]): SetupOperation {
  return {kind: 'bind', source, target, flags: 'rec,ro,nosuid,nodev,rprivate', create: ''};
}

/** Made once for what this machine has; its name is a hash of its content. */
async function provideSkeleton(context: ImageContext, tree: HostTree): Promise<string> {
  const {layers} = context.layout.images;
  const hash = createHash('sha256').update(JSON.stringify(tree.entries)).digest('hex').slice(0, 16);
  const path = join(layers, `${hostLayerPrefix}${hash}`);
  if (await exists(path)) return path;
  await using lock = await context.helper.lock(context.layout.locks.images);
  void lock;
  if (await exists(path)) return path;
  const temporary = join(layers, `${temporaryPrefix}${hostLayerPrefix}${hash}`);
  await context.helper.request({kind: 'removeTree', root: layers, path: `${temporaryPrefix}${hostLayerPrefix}${hash}`});
  await mkdir(temporary, {mode: 0o755});
  await writeSkeleton(temporary, tree.entries);
  await rename(temporary, path);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
