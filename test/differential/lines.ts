/** What is compared: a value a line, with its path. */
export type Lines = readonly string[];

/** A line a value: `HostConfig.Memory 0`. Lists are one value; those of objects are sorted, since engines keep no order. */
export function linesOf(value: unknown, path = ''): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return [`${path} ${listText(value)}`];
  if (typeof value !== 'object' || value === null) return [`${path} ${JSON.stringify(value)}`];
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  if (members.length === 0) return [`${path} {}`];
  return members.flatMap(([key, member]) => linesOf(member, path === '' ? key : `${path}.${key}`));
}

function listText(list: readonly unknown[]): string {
  const texts = list.map((item) => canonical(item));
  const isOfObjects = list.some((item) => typeof item === 'object' && item !== null && !Array.isArray(item));
  return `[${(isOfObjects ? texts.sort() : texts).join(',')}]`;
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Lines that are not in the other, and `- path` for paths of the other that are missing. */
export function linesBeyond(lines: Lines, baseline: Lines): string[] {
  const known = new Set(baseline);
  const paths = new Set(lines.map(pathOf));
  const missing = baseline.map(pathOf).filter((path) => !paths.has(path));
  return [...lines.filter((line) => !known.has(line)), ...missing.map((path) => `- ${path}`)];
}

function pathOf(line: string): string {
  return line.split(' ', 1)[0] ?? '';
}

/** Names of members and types of values, where the values themselves are the machine's. */
export function shapeOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [`${path} list`];
  if (typeof value !== 'object' || value === null) return [`${path} ${value === null ? 'null' : typeof value}`];
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, member]) => shapeOf(member, path === '' ? key : `${path}.${key}`));
}
