export interface Names {
  /** What all names of a case begin with: `@data` in a case is `<token>-data`. */
  readonly token: string;
  /** A directory of the case on the machine: `%dir`. */
  readonly directory: string;
  readonly rootDirectory: string;
  /** Ids of its containers, by their names. */
  readonly ids: readonly (readonly [string, string])[];
}

/** Writes names as a case has them: the other way round of {@link fill}. What is different at every run has no value. */
export function makePortable({token, directory, rootDirectory, ids}: Names): (text: string) => string {
  return (text) => {
    let told = text.replaceAll(`${token}-`, '@').replaceAll(directory, '%dir').replaceAll(rootDirectory, '<root>');
    told = told.replaceAll(token, '<token>').replace(/tscompose-test\/d[0-9a-f]{8}:/g, 'test:');
    for (const [name, id] of ids)
      told = told.replaceAll(id, `<${name}>`).replaceAll(id.slice(0, 12), `<${name} short>`);
    return told
      .replace(/\bsha256:[0-9a-f]{64}\b/g, '<digest>')
      .replace(/\b[0-9a-f]{64}\b/g, '<id>')
      .replace(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, (mac) => (/^(?:00|ff)/.test(mac) ? mac : '<mac>'));
  };
}

/** Puts the names of a run into all texts of a value: `@data` becomes a name that nobody else has, `%dir` a directory. */
export function fill<T>(value: T, names: Pick<Names, 'token' | 'directory'>): T {
  if (typeof value === 'string')
    return value.replace(/@(?=[a-z])/g, `${names.token}-`).replaceAll('%dir', names.directory) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => fill(item, names)) as T;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [fill(key, names), fill(item, names)])) as T;
}
