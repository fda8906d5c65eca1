import type {DiskUsage} from '../../api/types/system.ts';
import {usedSize} from '../size.ts';

/** Fields of a row and their titles, as Docker names them. */
export const usageTitles = {
  Type: 'TYPE',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
} as const;

export type UsageRow = {readonly [K in keyof typeof usageTitles]: string};

const activeStates: readonly string[] = ['running', 'paused', 'restarting'];

/** A row for each kind of thing, as `docker system df` counts them. */
export function usageSummary({LayersSize, Images, Containers, Volumes, BuildCache}: DiskUsage): readonly UsageRow[] {
  const images = Images ?? [];
  const containers = Containers ?? [];
  const volumes = (Volumes ?? []).map(({UsageData}) => UsageData);
  const caches = BuildCache ?? [];
  const own = caches.filter(({Shared}) => !Shared);
  return [
    usageRow('Images', {
      total: images.length,
      active: images.filter((image) => image.Containers > 0).length,
      size: LayersSize,
      // What others share with it is not counted as the image's own.
      free: LayersSize - sum(images.map((image) => (image.Containers === 0 ? 0 : image.Size - image.SharedSize))),
    }),
    usageRow('Containers', {
      total: containers.length,
      active: containers.filter(({State}) => activeStates.includes(State)).length,
      size: sum(containers.map(({SizeRw}) => SizeRw)),
      free: sum(containers.map(({State, SizeRw}) => (activeStates.includes(State) ? 0 : SizeRw))),
    }),
    usageRow('Local Volumes', {
      total: volumes.length,
      active: volumes.filter(({RefCount}) => RefCount > 0).length,
      size: sum(volumes.map(({Size}) => Size)),
      free: sum(volumes.map(({Size, RefCount}) => (RefCount > 0 ? 0 : Size))),
    }),
    {
      ...{Type: 'Build Cache', TotalCount: String(caches.length)},
      Active: String(caches.filter(({InUse}) => InUse).length),
      Size: usedSize(sum(own.map(({Size}) => Size))),
      Reclaimable: usedSize(sum(own.map(({Size, InUse}) => (InUse ? 0 : Size)))),
    },
  ];
}

interface Counted {
  readonly total: number;
  readonly active: number;
  readonly size: number;
  readonly free: number;
}

function usageRow(Type: string, {total, active, size, free}: Counted): UsageRow {
  const share = size > 0 ? ` (${Math.trunc((free * 100) / size)}%)` : '';
  return {
    ...{Type, TotalCount: String(total), Active: String(active)},
    ...{Size: usedSize(size), Reclaimable: `${usedSize(free)}${share}`},
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
