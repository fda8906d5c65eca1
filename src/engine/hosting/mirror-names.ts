import {isRepositoryName} from './names.ts';

/** A repository of another registry, and the one of ours that has its copy. */
export interface MirroredName {
  /** As in references: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  readonly repository: string;
  /** `docker.io/library/redis`; where a port stands, it is after `_`: a repository's name has no colon. */
  readonly copy: string;
}

/** The part of a repository's name that stands for a registry. */
function registryComponent(registry: string): string {
  return registry.replace(':', '_');
}

/** What a repository of ours is a copy of; undefined for one that is none. */
export function mirroredName(name: string, mirrored: readonly string[]): MirroredName | undefined {
  const [first, ...rest] = name.split('/');
  const registry = mirrored.find((candidate) => registryComponent(candidate) === first);
  if (registry === undefined || rest.length === 0) return undefined;
  const isShort = registry === 'docker.io' && rest.length === 1;
  const repository = isShort ? `library/${rest[0]}` : rest.join('/');
  return {registry, repository, copy: `${registryComponent(registry)}/${repository}`};
}

/** Whether a repository of ours is a copy of one of these registries'. */
export function isCopyOf(name: string, mirrored: readonly string[]): boolean {
  return mirroredName(name, mirrored)?.copy === name;
}

/** What a mirror of Docker's own registry is asked for: names without a registry. */
export function hubName(name: string, mirrored: readonly string[]): MirroredName | undefined {
  return mirrored.includes('docker.io') ? mirroredName(`docker.io/${name}`, mirrored) : undefined;
}

/**
 * The repository that is meant by a client that asks a mirror and says in `ns` for which registry; undefined where it can be
 * none.
 */
export function nameInNamespace(name: string, namespace: string, hosts: readonly string[]): string | undefined {
  if (hosts.includes(namespace)) return name;
  const full = `${registryComponent(namespace)}/${name}`;
  return isRepositoryName(full) ? full : undefined;
}
