/** `localhost:5000/a:1` in its two parts: a colon before a slash belongs to a port. */
export function splitName(reference: string): {readonly repository: string; readonly tag: string | undefined} {
  const colon = reference.indexOf(':', reference.lastIndexOf('/') + 1);
  return colon === -1
    ? {repository: reference, tag: undefined}
    : {repository: reference.slice(0, colon), tag: reference.slice(colon + 1)};
}

/** 12 digits, as people see ids. */
export function shortId(id: string): string {
  return id.replace('sha256:', '').slice(0, 12);
}

/** `KEY=VALUE` of each `--filter`, as the engine takes them. A value may have equals signs, a key ends in `!` to exclude. */
export function readFilters(given: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const filters: Record<string, readonly string[]> = {};
  for (const text of given) {
    const equals = text.indexOf('=');
    const [key, value] = equals === -1 ? [text, ''] : [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
    filters[key] = [...(filters[key] ?? []), value];
  }
  return filters;
}
