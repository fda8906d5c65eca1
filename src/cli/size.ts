const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes in decimal units with three digits, as Docker prints sizes: `142MB`, `1.25GB`. */
export function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}
