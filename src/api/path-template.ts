const parameter = /\{(\+?)([A-Za-z]+)\}/g;

/** Fills a path template. `{+name}` keeps slashes, colons and `@` as they are (RFC 6570, 3.2.3). */
export function expandPath(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(parameter, (_, plus: string, name: string) => {
    const encoded = encodeURIComponent(values[name] ?? '');
    return plus === '+' ? encoded.replace(/%2F/g, '/').replace(/%3A/g, ':').replace(/%40/g, '@') : encoded;
  });
}

/** Answers the values of a template's parameters in a path, decoded, or undefined where it does not match. */
export function pathMatcher(template: string): (path: string) => Readonly<Record<string, string>> | undefined {
  const names: string[] = [];
  const pattern = new RegExp(
    `^${template.replace(parameter, (_, plus: string, name: string) => {
      names.push(name);
      return plus === '+' ? '(.+)' : '([^/]+)';
    })}$`,
  );
  return (path) => {
    const found = pattern.exec(path);
    if (found === null) return undefined;
    try {
      return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? '')]));
    } catch {
      return undefined;
    }
  };
}
