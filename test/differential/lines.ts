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

/**
 * Lines that are not in the other, and `- path` for paths of the other that are missing: of a member that is missing with
 * all that it has, its own.
 */
export function linesBeyond(lines: Lines, baseline: Lines): string[] {
  const known = new Set(baseline);
  const there = new Set(lines.map(pathOf).flatMap(pathsTo));
  const missing = baseline
    .map(pathOf)
    .filter((path) => !there.has(path))
    .map((path) => pathsTo(path).find((one) => !there.has(one)));
  return [...lines.filter((line) => !known.has(line)), ...[...new Set(missing)].map((path) => `- ${path}`)];
}

/** `a`, `a.b`, `a.b.c` */
function pathsTo(path: string): readonly string[] {
  const names = path.split('.');
  return names.map((_, index) => names.slice(0, index + 1).join('.'));
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
