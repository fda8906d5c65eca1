import {readdirSync, readFileSync, readlinkSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import {isGone} from './scan.ts';

export interface WatchUse {
  readonly watches: number;
  readonly instances: number;
}

/** What a system call of inotify says when the user's watches or instances are used up: inotify(7). */
export function isLimit(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EMFILE');
}

interface Limit {
  readonly name: string;
  readonly value: number;
}

/** Names the limit that was hit, how much of it is in use, and how to raise it. */
export function watchLimitError(cause: NodeJS.ErrnoException, proc = '/proc'): TscomposeError {
  const use = inotifyUse(proc);
  const files = cause.code === 'EMFILE' ? openFiles(proc) : undefined;
  if (files !== undefined && files.used + 2 >= files.limit) {
    return new TscomposeError(
      'exhausted',
      `cannot watch files: ${files.used} of ${files.limit} files of this process are open (RLIMIT_NOFILE)`,
      {hint: `run "ulimit -n ${Math.max(4096, files.limit * 4)}" first`, cause},
    );
  }
  const watches = cause.code === 'ENOSPC';
  const thing = watches ? 'watches' : 'instances';
  const limit = lowest(proc, [`fs/inotify/max_user_${thing}`, `user/max_inotify_${thing}`]);
  const used = watches ? use.watches : use.instances;
  const wanted = Math.max(watches ? 524_288 : 1_024, (limit?.value ?? 0) * 2);
  return new TscomposeError(
    'exhausted',
    limit === undefined
      ? `cannot watch files: this user's inotify ${thing} are used up, ${used} are in use`
      : `cannot watch files: ${used} of ${limit.value} inotify ${thing} of this user are in use (${limit.name})`,
    {hint: `run "sudo sysctl -w ${limit?.name ?? `fs.inotify.max_user_${thing}`}=${wanted}"`, cause},
  );
}

function lowest(proc: string, files: readonly string[]): Limit | undefined {
  const limits = files.flatMap((file) => {
    const value = Number.parseInt(readOr(join(proc, 'sys', file), ''), 10);
    return Number.isNaN(value) ? [] : [{name: file.replaceAll('/', '.'), value}];
  });
  return limits.reduce<Limit | undefined>(
    (low, next) => (low === undefined || next.value < low.value ? next : low),
    undefined,
  );
}

/** Events that the kernel keeps for one reader; more are lost. */
export function queuedEvents(proc = '/proc'): number {
  const value = Number.parseInt(readOr(join(proc, 'sys/fs/inotify/max_queued_events'), ''), 10);
  return Number.isNaN(value) ? 16_384 : value;
}

/** Watches and instances of the user who asks, over all of its processes that can be looked at. */
export function inotifyUse(proc = '/proc'): WatchUse {
  const mine = statSync(join(proc, 'self'), {throwIfNoEntry: false})?.uid;
  let watches = 0;
  let instances = 0;
  for (const pid of namesIn(proc).filter((name) => /^\d+$/.test(name))) {
    if (statSync(join(proc, pid), {throwIfNoEntry: false})?.uid !== mine) continue;
    for (const descriptor of namesIn(join(proc, pid, 'fd'))) {
      if (linkOr(join(proc, pid, 'fd', descriptor)) !== 'anon_inode:inotify') continue;
      instances += 1;
      watches += readOr(join(proc, pid, 'fdinfo', descriptor), '').match(/^inotify wd:/gm)?.length ?? 0;
    }
  }
  return {watches, instances};
}

function openFiles(proc: string): {readonly used: number; readonly limit: number} | undefined {
  const limit = /^Max open files\s+(\d+)/m.exec(readOr(join(proc, 'self/limits'), ''))?.[1];
  return limit === undefined ? undefined : {used: namesIn(join(proc, 'self/fd')).length, limit: Number(limit)};
}

function namesIn(directory: string): readonly string[] {
  return orElse(() => readdirSync(directory), []);
}

function readOr(path: string, otherwise: string): string {
  return orElse(() => readFileSync(path, 'utf8'), otherwise);
}

function linkOr(path: string): string {
  return orElse(() => readlinkSync(path), '');
}

/** Processes end while they are looked at, and another user's are closed. */
function orElse<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (isGone(error) || (error instanceof Error && 'code' in error && error.code === 'ESRCH')) return otherwise;
    throw error;
  }
}
