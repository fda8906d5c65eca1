const powers = ['', 'k', 'm', 'g', 't', 'p'];

/**
 * Reads a size as Docker does: a decimal number and `b`, `k`, `m`, `g`, `t` or `p`, each also with `b` or `ib` behind it,
 * in any case; all are powers of 1024. Undefined where it is none, and for negative numbers.
 */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+\.?\d*|\.\d+) ?(?:([kmgtp])(?:i?b)?|b)?$/i.exec(text);
  if (match === null) return undefined;
  return Math.floor(Number(match[1]) * 1024 ** powers.indexOf((match[2] ?? '').toLowerCase()));
}

/** `64 MiB`, `1.5 GiB`, `512 B`: for people. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let size = bytes;
  while (size >= 1024 && unit < powers.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const prefix = powers[unit] ?? '';
  return `${size >= 100 || Number.isInteger(size) ? Math.round(size) : size.toFixed(1)} ${prefix === '' ? 'B' : `${prefix.toUpperCase()}iB`}`;
}
