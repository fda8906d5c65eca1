/** Bytes in decimal units with three digits, as Docker prints sizes: `142MB`, `1.25GB`. */
export function humanSize(bytes: number): string {
  return scaled(bytes, {base: 1000, digits: 3, units: ['B', 'kB', 'MB', 'GB', 'TB']});
}

/** The same with four digits, as Docker prints space that is used: `141.9MB`. */
export function usedSize(bytes: number): string {
  return scaled(bytes, {base: 1000, digits: 4, units: ['B', 'kB', 'MB', 'GB', 'TB']});
}

/** Bytes in binary units with four digits, as Docker prints memory: `344KiB`, `23.54GiB`. */
export function memorySize(bytes: number): string {
  return scaled(bytes, {base: 1024, digits: 4, units: ['B', 'KiB', 'MiB', 'GiB', 'TiB']});
}

interface Scale {
  readonly base: number;
  readonly digits: number;
  readonly units: readonly string[];
}

function scaled(bytes: number, {base, digits, units}: Scale): string {
  let value = bytes;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}
