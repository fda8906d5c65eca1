import type {BuildCacheRow, DiskUsage} from '../../api/types/system.ts';
import {cut} from '../../report/cells.ts';
import {shortId} from '../image-name.ts';
import {imageRows, imageTitles} from '../image-rows.ts';
import {quoted} from '../quoted.ts';
import {humanDuration} from '../relative-time.ts';
import type {Row} from '../row-template.ts';
import {humanSize, usedSize} from '../size.ts';
import {formatTable} from '../table.ts';

/** Everything that takes space up, kind by kind, with the fields that Docker has. */
export interface UsageDetails {
  readonly Images: readonly Row[];
  readonly Containers: readonly Row[];
  readonly Volumes: readonly Row[];
  readonly BuildCache: readonly Row[];
}

type Titles = Readonly<Record<string, string>>;

const columns = {
  Images: {
    ...pick(imageTitles, ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers']),
  },
  Containers: {
    ...{ID: 'CONTAINER ID', Image: 'IMAGE', Command: 'COMMAND', LocalVolumes: 'LOCAL VOLUMES', Size: 'SIZE'},
    ...{RunningFor: 'CREATED', Status: 'STATUS', Names: 'NAMES'},
  },
  Volumes: {Name: 'VOLUME NAME', Links: 'LINKS', Size: 'SIZE'},
  BuildCache: {
    ...{ID: 'CACHE ID', CacheType: 'CACHE TYPE', Size: 'SIZE', CreatedSince: 'CREATED', LastUsedSince: 'LAST USED'},
    ...{UsageCount: 'USAGE', Shared: 'SHARED'},
  },
} as const satisfies Readonly<Record<keyof UsageDetails, Titles>>;

function pick<K extends string>(titles: Titles, names: readonly K[]): Readonly<Record<K, string>> {
  return Object.fromEntries(names.map((name) => [name, titles[name]])) as Record<K, string>;
}

export function usageDetails(usage: DiskUsage, now: number): UsageDetails {
  const ago = (ms: number) => `${humanDuration(Math.max(now - ms, 0) / 1000)} ago`;
  return {
    Images: (usage.Images ?? []).flatMap((image) => imageRows(image, {withDigests: false, 'no-trunc': false, now})),
    Containers: (usage.Containers ?? []).map((container) => ({
      ...{ID: shortId(container.Id), Image: container.Image, Command: quoted(cut(container.Command, 20))},
      LocalVolumes: String(container.Mounts.filter(({Type}) => Type === 'volume').length),
      ...{Size: usedSize(container.SizeRw), RunningFor: ago(container.Created * 1000), Status: container.Status},
      ...{State: container.State, Names: container.Names.map((name) => name.replace(/^\//, '')).join(',')},
    })),
    Volumes: (usage.Volumes ?? []).map(({Name, Driver, UsageData}) => ({
      ...{Name, Driver, Links: String(UsageData.RefCount), Size: usedSize(UsageData.Size)},
    })),
    BuildCache: (usage.BuildCache ?? []).map((row) => cacheRow(row, ago)),
  };
}

function cacheRow(row: BuildCacheRow, ago: (ms: number) => string): Row {
  const {ID, Type, Description, Size, CreatedAt, LastUsedAt, UsageCount, InUse, Shared} = row;
  return {
    ...{ID: ID.slice(0, 12), CacheType: Type, Description, Size: humanSize(Size)},
    ...{
      CreatedSince: ago(Date.parse(CreatedAt)),
      LastUsedSince: LastUsedAt === null ? '' : ago(Date.parse(LastUsedAt)),
    },
    ...{UsageCount: String(UsageCount), InUse: String(InUse), Shared: String(Shared)},
  };
}

/** A table a kind. */
export function detailTables(details: UsageDetails, cacheSize: string, terminal: number | undefined): string {
  const table = (kind: keyof UsageDetails) => {
    const titles: Titles = columns[kind];
    const rows = details[kind].map((row) => Object.keys(titles).map((field) => String(row[field] ?? '')));
    return formatTable(Object.values(titles), rows, {columns: terminal, drop: []});
  };
  return [
    `Images space usage:\n\n${table('Images')}`,
    `Containers space usage:\n\n${table('Containers')}`,
    `Local Volumes space usage:\n\n${table('Volumes')}`,
    `Build cache usage: ${cacheSize}\n\n${table('BuildCache')}`,
  ].join('\n');
}
