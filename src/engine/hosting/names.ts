const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** With the name of a registry in front of it, it still has to be a reference. */
const longest = 200;

/** Name of a repository as a registry has it: `team/app`. */
export function isRepositoryName(text: string): boolean {
  return text.length <= longest && text.split('/').every((part) => component.test(part));
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/**
 * Where the images of a repository are among those of this machine, without the tag: under the registry's own names, and
 * further under those that `docker pull` would find in a mirror: `docker.io/library/redis` for `redis`, `docker.io/team/app`
 * for `team/app`, and `quay.io/team/app` as it stands.
 */
export function localNames(
  repository: string,
  hosts: readonly string[],
): {readonly own: readonly string[]; readonly others: readonly string[]} {
  const [first = '', ...rest] = repository.split('/');
  const isHost = rest.length > 0 && (first.includes('.') || first === 'localhost');
  const others = isHost
    ? [repository]
    : [rest.length === 0 ? `docker.io/library/${repository}` : `docker.io/${repository}`];
  return {own: hosts.map((host) => `${host}/${repository}`), others};
}

/** The repository of this registry in which an image of this machine is offered; undefined for a name that cannot be one. */
export function repositoryOfLocal(local: string, hosts: readonly string[]): string | undefined {
  const own = hosts.find((host) => local.startsWith(`${host}/`));
  const short =
    own === undefined ? local.replace(/^docker\.io\/(?:library\/(?!.*\/))?/, '') : local.slice(own.length + 1);
  return isRepositoryName(short) ? short : undefined;
}
