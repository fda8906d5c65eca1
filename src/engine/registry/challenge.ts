/** What a registry asks for with status 401 (RFC 9110, 11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Longer headers are nobody's challenge. */
const lengthMax = 16 * 1024;

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;

/** The challenges of `WWW-Authenticate` headers, in their order. What cannot be read ends a header. */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap((header) => (header.length > lengthMax ? [] : parseHeader(header)));
}

function parseHeader(header: string): readonly Challenge[] {
  const found: {scheme: string; parameters: Record<string, string>}[] = [];
  let rest = header.replace(/^[\s,]+/, '');
  while (rest !== '') {
    const word = token.exec(rest)?.[0];
    if (word === undefined) break;
    rest = rest.slice(word.length);
    const value = /^\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/.exec(rest);
    const current = found.at(-1);
    if (value !== null && current !== undefined) {
      current.parameters[word.toLowerCase()] = (value[1] ?? value[2] ?? '').replace(/\\(.)/g, '$1');
      rest = rest.slice(value[0].length);
    } else {
      found.push({scheme: word.toLowerCase(), parameters: {}});
    }
    rest = rest.replace(/^[\s,]+/, '');
  }
  return found;
}
