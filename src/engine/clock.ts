import {readFileSync} from 'node:fs';

/** Wall clock in Unix milliseconds, with fractions. Passed in from the command line's context. */
export type Now = () => number;

/** The zero time of the Engine API: never happened. */
export const zeroTime = '0001-01-01T00:00:00Z';

export function unixNanoseconds(now: Now): bigint {
  const milliseconds = now();
  const whole = Math.floor(milliseconds);
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((milliseconds - whole) * 1_000_000));
}

/** `2026-01-02T03:04:05.000000006Z`. */
export function formatNanoseconds(time: bigint): string {
  const seconds = time / 1_000_000_000n;
  const fraction = (time % 1_000_000_000n).toString().padStart(9, '0');
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}

const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/;

/** Unix nanoseconds of an RFC 3339 time; undefined for anything else. */
export function parseNanoseconds(text: string): bigint | undefined {
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const [, seconds = '', fraction = '', zone = 'Z'] = match;
  const milliseconds = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(milliseconds) ? undefined : BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Unix seconds with fraction, as queries carry them, in nanoseconds. */
export function secondsToNanoseconds(seconds: number): bigint {
  const whole = Math.floor(seconds);
  return BigInt(whole) * 1_000_000_000n + BigInt(Math.round((seconds - whole) * 1_000_000)) * 1000n;
}

/** Milliseconds of a clock that nobody sets. As `performance.now`, for which Node loads ten modules at its first use. */
export function monotonicMilliseconds(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Identifies this boot of the machine. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/**
 * A source of CLOCK_BOOTTIME in nanoseconds, which Node does not offer: its monotonic clock, plus the time the machine was
 * suspended (from /proc/uptime, whose resolution is 10 ms: a smaller difference is none).
 */
export function createBootClock(): () => bigint {
  const uptime = BigInt(Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000)) * 1_000_000n;
  const difference = uptime - process.hrtime.bigint();
  const suspended = difference > 100_000_000n ? difference : 0n;
  return () => process.hrtime.bigint() + suspended;
}
