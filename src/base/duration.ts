const nanosecondsPer: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86_400e9,
  w: 604_800e9,
};

export type ParsedDuration =
  | {readonly ok: true; readonly nanoseconds: number}
  | {readonly ok: false; readonly reason: string};

/** Reads `1h5m30s`, `1.5s`, `2w3d`: any number of decimal numbers, each with a unit, and an optional sign; also `0`. */
export function parseDuration(text: string): ParsedDuration {
  const negative = text.startsWith('-');
  const rest = text.replace(/^[+-]/, '');
  if (rest === '0') return {ok: true, nanoseconds: 0};
  if (rest === '') return {ok: false, reason: 'it is empty'};
  const part = /(\d+\.?\d*|\.\d+)([a-z\u00b5\u03bc]*)/gy;
  let sum = 0;
  let end = 0;
  for (const [all, number = '', unit = ''] of rest.matchAll(part)) {
    if (unit === '') return {ok: false, reason: 'a number has no unit'};
    const factor = nanosecondsPer[unit];
    if (factor === undefined) return {ok: false, reason: `"${unit}" is not a unit of time`};
    sum += scale(number, factor);
    end += all.length;
  }
  if (end !== rest.length) return {ok: false, reason: `cannot read "${rest.slice(end)}"`};
  return {ok: true, nanoseconds: negative && sum !== 0 ? -sum : sum};
}

/** Whole units exactly, the fraction rounded down to a nanosecond. */
function scale(number: string, factor: number): number {
  const [whole = '', fraction = ''] = number.split('.');
  return (
    Number(whole === '' ? '0' : whole) * factor +
    Math.floor((Number(`0${fraction.slice(0, 15)}`) * factor) / 10 ** Math.min(15, fraction.length))
  );
}

/** As Go prints a duration: `1m30s`, `1.5s`, `300ms`, `1h0m0s`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  const sign = nanoseconds < 0 ? '-' : '';
  const size = Math.abs(nanoseconds);
  if (size < 1e3) return `${sign}${size}ns`;
  if (size < 1e6) return `${sign}${decimal(size, 1e3)}µs`;
  if (size < 1e9) return `${sign}${decimal(size, 1e6)}ms`;
  const seconds = `${decimal(size % 60e9, 1e9)}s`;
  const minutes = Math.floor(size / 60e9);
  if (minutes === 0) return sign + seconds;
  const hours = Math.floor(minutes / 60);
  return `${sign}${hours === 0 ? '' : `${hours}h`}${minutes % 60}m${seconds}`;
}

function decimal(size: number, unit: number): string {
  const fraction = String(unit + (size % unit))
    .slice(1)
    .replace(/0+$/, '');
  return `${Math.floor(size / unit)}${fraction === '' ? '' : `.${fraction}`}`;
}
