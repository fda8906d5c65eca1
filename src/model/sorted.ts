/** The same members in the order of their names, by code points, as Go sorts. */
export function sortedMembers<T>(value: Readonly<Record<string, T>>): Record<string, T> {
  const names = Object.keys(value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(names.map((name) => [name, value[name] as T]));
}
