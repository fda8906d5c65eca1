const lineFeed = 10;
const recordSeparator = 30;

/** One JSON value and the end of its line, as the Engine API writes progress and events. */
export function encodeJsonLine(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\r\n`);
}

/**
 * Reads JSON values, one a line, from bytes that come in pieces of any size. Empty lines and record separators
 * (RFC 7464) are skipped. A complete object is handed on before its line feed has come. Throws `SyntaxError` for what
 * is no JSON.
 */
export async function* decodeJsonLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let held: Uint8Array[] = [];
  for await (const piece of bytes) {
    let rest = piece;
    for (let end = rest.indexOf(lineFeed); end >= 0; end = rest.indexOf(lineFeed)) {
      held.push(rest.subarray(0, end));
      yield* parseLine(held);
      held = [];
      rest = rest.subarray(end + 1);
    }
    if (rest.length === 0) continue;
    held.push(rest);
    const whole = parseWhole(held);
    if (whole === undefined) continue;
    held = [];
    yield whole.value;
  }
  yield* parseLine(held);
}

function* parseLine(pieces: readonly Uint8Array[]): Generator<unknown> {
  const text = textOf(pieces);
  if (text !== '') yield JSON.parse(text);
}

/** An object that is complete though no line feed has come yet: it is handed on now, for its reader may wait for it. */
function parseWhole(pieces: readonly Uint8Array[]): {readonly value: unknown} | undefined {
  const last = pieces.at(-1);
  if (last?.at(-1) !== 0x7d) return undefined;
  try {
    return {value: JSON.parse(textOf(pieces))};
  } catch {
    return undefined;
  }
}

function textOf(pieces: readonly Uint8Array[]): string {
  const joined = Buffer.concat(pieces);
  const start = joined[0] === recordSeparator ? 1 : 0;
  return joined.toString('utf8', start).trim();
}
