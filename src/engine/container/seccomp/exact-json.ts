/**
 * Reads JSON without rounding: whole numbers beyond what a double holds exactly become bigints. Throws a SyntaxError.
 * Profiles compare 64-bit arguments, and a mask that is off by one bit is another filter.
 */
export function parseExactJson(text: string): unknown {
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
  const marked = text.replace(tokens, (token, colon: string | undefined) => {
    if (colon !== undefined) return token;
    if (!token.startsWith('"')) return /^-?\d{16,}$/.test(token) ? `"#${token}"` : token;
    // A text of its own that begins like a mark gets a second one.
    const value = JSON.parse(token) as string;
    return value.startsWith('#') ? JSON.stringify(`#${value}`) : token;
  });
  return JSON.parse(marked, (_key, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith('#')) return value;
    return value.startsWith('##') ? value.slice(1) : BigInt(value.slice(1));
  });
}
