/** A controller of cgroups, by its name in version 2. */
export type Controller = 'cpu' | 'cpuset' | 'io' | 'memory' | 'pids';

/** One value for one file of a container's cgroup. */
export interface LimitWrite {
  readonly controller: Controller;
  readonly file: string;
  readonly value: string | number;
  /** Not every kernel has the file, and the container is confined without it. */
  readonly optional?: true;
}

/** The write of a value that is there. */
export function given(controller: Controller, file: string, value: string | number | undefined): readonly LimitWrite[] {
  return value === undefined ? [] : [{controller, file, value}];
}
