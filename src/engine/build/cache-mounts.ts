import {chmod, chown, lstat, mkdir, rename} from 'node:fs/promises';
import type {BuildBody} from '../../api/types/build.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import type {BuildContext, BuildWork} from './context.ts';
import {type MountRecord, mountName, mountPaths, writeMountRecord} from './mount-records.ts';
import type {Origins} from './origins.ts';
import type {StepMount} from './steps.ts';
import {countUse} from './uses.ts';

export type CacheMount = Extract<StepMount, {readonly type: 'cache'}>;

export interface TakingMounts {
  readonly request: Pick<BuildBody, 'arguments'>;
  readonly origins: Origins;
  readonly signal: AbortSignal;
  /** What is to be let go of after the step. */
  readonly hold: (lock: AsyncDisposable) => void;
}

/**
 * The directories that a step's cache mounts show, each with its lock. Locks are taken in the order of their names, so that two
 * steps never wait for each other; a cache that is mounted twice is taken once.
 */
export async function takeCacheMounts(
  context: BuildWork,
  mounts: readonly CacheMount[],
  options: TakingMounts,
): Promise<ReadonlyMap<CacheMount, string>> {
  const namespace = options.request.arguments['BUILDKIT_CACHE_MOUNT_NS'] ?? '';
  const groups = new Map<string, CacheMount[]>();
  for (const mount of mounts) {
    const name = mountName({id: mount.id, namespace});
    groups.set(name, [...(groups.get(name) ?? []), mount]);
  }
  if (groups.size > 0) await mkdir(context.images.layout.build.mounts, {recursive: true, mode: 0o700});
  const taken = new Map<CacheMount, string>();
  for (const [name, group] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [first] = group;
    if (first === undefined) continue;
    const own = await take(context, name, strictest(group), options);
    await provide(context, own, {mount: first, namespace, origins: options.origins, signal: options.signal});
    for (const mount of group) taken.set(mount, mountPaths(context, own).data);
  }
  return taken;
}

function strictest(mounts: readonly CacheMount[]): CacheMount['sharing'] {
  const order = ['locked', 'private', 'shared'] as const;
  return order.find((sharing) => mounts.some((mount) => mount.sharing === sharing)) ?? 'shared';
}

/** `locked` waits for its turn, `private` takes another one where somebody has the first. Answers its name. */
async function take(
  context: BuildContext,
  name: string,
  sharing: CacheMount['sharing'],
  {hold, signal}: TakingMounts,
): Promise<string> {
  const {helper} = context.images;
  if (sharing !== 'private') {
    const mode = sharing === 'locked' ? 'exclusive' : 'shared';
    hold(await helper.lock(mountPaths(context, name).lock, {mode, signal}));
    return name;
  }
  for (let number = 0; ; number++) {
    const place = number === 0 ? name : `${name}-${number}`;
    const lock = await helper.tryLock(mountPaths(context, place).lock);
    if (lock === undefined) continue;
    hold(lock);
    return place;
  }
}

interface Providing extends Pick<TakingMounts, 'origins' | 'signal'> {
  readonly mount: CacheMount;
  readonly namespace: string;
}

/** One of those who share it makes it, and the others find it whole. */
async function provide(
  context: BuildWork,
  name: string,
  {mount, namespace, origins, signal}: Providing,
): Promise<void> {
  const {helper, now} = context.images;
  const {directory, data, fresh, old, making, uses} = mountPaths(context, name);
  await using lock = await helper.lock(making, {signal});
  void lock;
  await mkdir(directory, {recursive: true, mode: 0o700});
  if ((await lstat(data).catch(() => undefined)) === undefined) {
    const created = formatNanoseconds(unixNanoseconds(now));
    const record: MountRecord = {v: 1, id: mount.id, created, ...(namespace === '' ? {} : {namespace})};
    await writeMountRecord(context, name, record);
    await helper.request({kind: 'removeTree', root: directory, path: 'new'});
    await mkdir(fresh);
    await fill(context, mount, {fresh, origins});
    await rename(fresh, data);
  }
  // An import that was killed left it.
  if ((await lstat(old).catch(() => undefined)) !== undefined)
    await helper.request({kind: 'removeTree', root: directory, path: 'old'});
  countUse(uses);
}

/** With the files that it is to begin with, where there are some. */
async function fill(
  {images}: BuildWork,
  {from, source, mode, uid, gid}: CacheMount,
  {fresh, origins}: {readonly fresh: string; readonly origins: Origins},
): Promise<void> {
  const tree = from === undefined ? undefined : await origins.open(from);
  if (tree !== undefined && 'lowers' in tree.place && tree.place.lowers.length > 0) {
    const {lowers} = tree.place;
    await images.helper.request({kind: 'copyUp', destination: fresh, subpath: '', target: source, lowers});
  }
  await chmod(fresh, mode);
  if (uid !== 0 || gid !== 0) await chown(fresh, uid, gid);
}
