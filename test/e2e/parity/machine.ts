import {existsSync} from 'node:fs';
import {release} from 'node:os';

/** The machine on which the real engine was asked. */
export interface RecordedOn {
  readonly kernel: string;
  /** 1 or 2, as it is mounted for containers to see. */
  readonly cgroups: number;
}

export function thisMachine(): RecordedOn {
  return {kernel: release().split('-')[0] ?? '', cgroups: existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1};
}

export function isOfThisMachine({kernel, cgroups}: RecordedOn): boolean {
  const here = thisMachine();
  return here.kernel === kernel && here.cgroups === cgroups;
}
