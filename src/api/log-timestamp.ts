/** RFC 3339 with nine digits, as the Engine API writes it before each piece of a log: `2026-01-02T03:04:05.000000006Z`. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) /;
const longest = '2026-01-02T03:04:05.000000006+00:00 '.length;

export function addTimestamp(time: string, data: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${withNanoseconds(time)} `), data]);
}

/** Takes the time off a piece of a log; undefined where it has none. */
export function splitTimestamp(piece: Uint8Array): {readonly time: string; readonly data: Uint8Array} | undefined {
  const found = timestamp.exec(
    Buffer.from(piece.buffer, piece.byteOffset, Math.min(piece.length, longest)).toString('latin1'),
  );
  if (found === null) return undefined;
  return {time: found[0].slice(0, -1), data: piece.subarray(found[0].length)};
}

/** A time with any number of decimals gets nine, so that times compare as text. */
function withNanoseconds(time: string): string {
  const parts = /^(.*:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(time);
  return parts === null ? time : `${parts[1]}.${(parts[2] ?? '').padEnd(9, '0')}${parts[3]}`;
}
