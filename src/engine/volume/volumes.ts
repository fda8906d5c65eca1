import {randomBytes} from 'node:crypto';
import {join} from 'node:path';
import {checkFilters, knownFilters, matchesLabels} from '../../api/filters.ts';
import type {Filters} from '../../api/types/system.ts';
import type {VolumeCreateBody, VolumeInspect} from '../../api/types/volume.ts';
import {TscomposeError} from '../../base/errors.ts';
import {chmod, mkdir, readdir, rename, rm} from '../at-once.ts';
import type {Now} from '../clock.ts';
import type {Volumes} from '../engine.ts';
import type {Events} from '../events.ts';
import type {Helper} from '../helper/coprocess.ts';
import type {Layout} from '../layout.ts';
import {makeDirectoryWhole, temporaryPrefix, writeRecord} from '../record-store.ts';
import {checkVolumeOptions, isMounted} from './options.ts';
import {listVolumes, readVolume, type VolumeRecord} from './record.ts';
import {unmountAlone, type VolumeUses} from './uses.ts';

export interface VolumeContext {
  readonly layout: Layout;
  readonly helper: Helper;
  readonly events: Pick<Events, 'append'>;
  readonly now: Now;
  readonly uses: Pick<VolumeUses, 'settle'>;
  /** Ids of the containers that use a volume, running or not. */
  readonly users: (name: string) => Promise<readonly string[]>;
}

/** Named and anonymous volumes of the local driver: a directory and its record, made and removed whole. */
export function createVolumes(context: VolumeContext): Omit<Volumes, 'prune'> {
  const {layout} = context;
  return {
    async list(filters = {}) {
      checkFilters(filters, knownFilters.volumes);
      await clearAllHalfMade(context);
      const records = await listVolumes(layout);
      for (const record of records) if (isMounted(record.options)) await context.uses.settle(record.name);
      const used = await usage(context, filters, records);
      return records.filter((record) => matches(record, filters, used)).map((record) => describe(layout, record));
    },

    async inspect(name) {
      const record = isName(name) ? await readVolume(layout, name) : undefined;
      if (!record) throw noSuchVolume(name);
      return describe(layout, record);
    },

    async create(body) {
      const record = recordOf(context, body);
      await using lock = await lockVolume(context, record.name);
      void lock;
      const existing = await readVolume(layout, record.name);
      if (existing) return describe(layout, existing);
      await clearHalfMade(context, record.name);
      await makeDirectoryWhole(layout.volumes, record.name, (directory) => fill(directory, record), {sync: true});
      await context.events.append({
        type: 'volume',
        action: 'create',
        id: record.name,
        attributes: {driver: record.driver},
      });
      return describe(layout, record);
    },

    async remove(name, {force = false} = {}) {
      if (!isName(name)) throw noSuchVolume(name);
      await using lock = await lockVolume(context, name);
      void lock;
      const record = await readVolume(layout, name);
      if (!record) {
        await clearHalfMade(context, name);
        if (force) return;
        throw noSuchVolume(name);
      }
      const [user] = await context.users(name);
      if (user !== undefined) throw new TscomposeError('conflict', `remove ${name}: volume is in use - [${user}]`);
      if (isMounted(record.options) && !(await unmountAlone(context, name)))
        throw new TscomposeError('conflict', `remove ${name}: volume is in use`);
      // Out of sight first: a removal that is cut short is no half volume.
      await rename(layout.volume(name).directory, join(layout.volumes, `${temporaryPrefix}${name}-${randomName()}`));
      await clearHalfMade(context, name);
      await context.events.append({type: 'volume', action: 'destroy', id: name, attributes: {driver: 'local'}});
    },
  };
}

/** One of at least two characters, as Docker has it; it is also the directory's. */
function isName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/.test(name);
}

function noSuchVolume(name: string): TscomposeError {
  return new TscomposeError('notFound', `get ${name}: no such volume`);
}

/** Temporary names end in this many hex digits, which tells those of `a` from those of `a-b`. */
function randomName(): string {
  return randomBytes(16).toString('hex');
}

function recordOf({now}: VolumeContext, {Name, Driver = 'local', DriverOpts, Labels}: VolumeCreateBody): VolumeRecord {
  const name = Name || randomBytes(32).toString('hex');
  if (!isName(name)) {
    throw new TscomposeError(
      'invalid',
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
      {hint: 'to mount a directory of the machine, use its absolute path'},
    );
  }
  if (Driver !== '' && Driver !== 'local') {
    throw new TscomposeError('unsupported', `create ${name}: volume driver "${Driver}" is not supported`, {
      hint: 'only "local" is',
    });
  }
  checkVolumeOptions(name, DriverOpts ?? {});
  const created = `${new Date(now()).toISOString().slice(0, 19)}Z`;
  // A volume without a name is marked, as Docker does, so that it can be told apart later.
  const labels = Name ? (Labels ?? {}) : {...Labels, 'com.docker.volume.anonymous': ''};
  return {v: 1, name, created, driver: 'local', options: DriverOpts ?? {}, labels};
}

async function fill(directory: string, record: VolumeRecord): Promise<void> {
  const data = join(directory, 'data');
  await mkdir(data);
  await chmod(data, 0o755);
  await writeRecord(join(directory, 'config.json'), record, {sync: true});
}

function describe(layout: Layout, record: VolumeRecord): VolumeInspect {
  const orNull = (values: Readonly<Record<string, string>>) => (Object.keys(values).length === 0 ? null : values);
  return {
    Name: record.name,
    Driver: record.driver,
    Mountpoint: layout.volume(record.name).data,
    CreatedAt: record.created,
    Labels: orNull(record.labels),
    Scope: 'local',
    Options: orNull(record.options),
  };
}

/** The lock's file goes with the volume: whoever waits for it finds out and takes the new one. */
async function lockVolume({layout, helper}: VolumeContext, name: string): Promise<AsyncDisposable> {
  const path = layout.locks.volume(name);
  return withoutFile(layout, name, await helper.lock(path));
}

function withoutFile(layout: Layout, name: string, lock: AsyncDisposable): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      const exists = await readVolume(layout, name).catch(() => true);
      if (!exists)
        for (const path of [layout.locks.volumeMount(name), layout.locks.volume(name)]) await rm(path, {force: true});
      await lock[Symbol.asyncDispose]();
    },
  };
}

/** Clears what killed creations and removals left of any volume; one whose lock is held is being worked on. */
async function clearAllHalfMade(context: VolumeContext): Promise<void> {
  const {layout, helper} = context;
  for (const entry of await readdir(layout.volumes)) {
    const name = temporaryName.exec(entry)?.[1];
    if (name === undefined) continue;
    const lock = await helper.tryLock(layout.locks.volume(name));
    if (lock === undefined) continue;
    await using held = withoutFile(layout, name, lock);
    void held;
    await clearHalfMade(context, name);
  }
}

const temporaryName = /^\.tmp-(.+)-(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** What a killed creation or removal left; with the volume's lock held nobody else is at it. */
async function clearHalfMade({layout, helper}: VolumeContext, name: string): Promise<void> {
  const prefix = `${temporaryPrefix}${name}-`;
  for (const entry of await readdir(layout.volumes)) {
    if (!entry.startsWith(prefix) || !/^[0-9a-f-]{32,36}$/.test(entry.slice(prefix.length))) continue;
    await helper.request({kind: 'removeTree', root: layout.volumes, path: entry});
  }
}

/** Names of the volumes in use; asked for only where the filter needs it. */
async function usage(
  {users}: VolumeContext,
  filters: Filters,
  records: readonly VolumeRecord[],
): Promise<ReadonlySet<string>> {
  if ((filters['dangling'] ?? []).length === 0) return new Set();
  const used = await Promise.all(records.map(async ({name}) => ((await users(name)).length > 0 ? [name] : [])));
  return new Set(used.flat());
}

function matches(record: VolumeRecord, filters: Filters, used: ReadonlySet<string>): boolean {
  return Object.entries(filters).every(([key, values]) => {
    if (key === 'label') return matchesLabels(record.labels, values);
    return values.length === 0 || values.some((value) => matchesOne(record, key, value, used));
  });
}

function matchesOne(record: VolumeRecord, key: string, value: string, used: ReadonlySet<string>): boolean {
  switch (key) {
    case 'name':
      return record.name.includes(value);
    case 'driver':
      return record.driver === value;
    default:
      return used.has(record.name) !== ['true', '1'].includes(value);
  }
}
