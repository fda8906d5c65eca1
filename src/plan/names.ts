import type {Service} from '../model/types.ts';
import type {ContainerId} from './action.ts';

/** Name of a replica's container. */
export function containerName(
  project: string,
  service: string,
  definition: Service | undefined,
  replica: number,
): string {
  return definition?.container_name ?? `${project}-${service}-${replica}`;
}

/** Name of a container until the one it replaces is gone: as Compose makes it, so that either tool finishes the other's work. */
export function temporaryName(replaced: ContainerId, name: string): string {
  return `${replaced.slice(0, 12)}_${name}`;
}

/** True for the temporary name of a container that is to be called `name`. */
export function isTemporaryName(candidate: string, name: string): boolean {
  return candidate.length === name.length + 13 && /^[0-9a-f]{12}_/.test(candidate) && candidate.endsWith(`_${name}`);
}

/** How many containers a service shall have. */
export function replicaCount(service: Service): number {
  if (service.provider !== undefined) return 0;
  return service.scale ?? service.deploy?.replicas ?? 1;
}
