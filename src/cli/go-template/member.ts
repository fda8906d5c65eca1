/** Members whose own members are keys that somebody chose, in what engines answer: in Go they are maps. */
const maps: ReadonlySet<string> = new Set([
  ...['Annotations', 'Containers', 'Data', 'ExposedPorts', 'Labels', 'Options', 'Volumes'],
]);

/** What Go prints of members that not everything has, and that engines leave out or answer with null. */
export const ofMissing: ReadonlyMap<string, string> = new Map([
  ...[...maps].map((name) => [name, 'map[]'] as const),
  ...['Cmd', 'Entrypoint', 'Env', 'OnBuild', 'RepoDigests', 'RepoTags', 'Shell'].map((name) => [name, '[]'] as const),
  ...['Author', 'Comment', 'StopSignal', 'User', 'Variant', 'WorkingDir'].map((name) => [name, ''] as const),
  ['ArgsEscaped', 'false'],
  ['Healthcheck', '<nil>'],
]);

/**
 * A member of a value; undefined of what has keys of its own kind and not this one. `parent`: the member that the value is, as
 * far as that is known. Throws for a field that is not there.
 */
export function memberOf(value: unknown, name: string, parent: string | undefined): unknown {
  const isThere = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isThere && Object.hasOwn(value, name)) return (value as Readonly<Record<string, unknown>>)[name];
  if (parent === undefined || maps.has(parent) || (isThere && ofMissing.has(name))) return undefined;
  throw new Error(value === undefined || value === null ? `there is no "${parent}"` : `"${parent}" has no "${name}"`);
}
