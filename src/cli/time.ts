import {parseDuration} from '../base/duration.ts';
import {exitCodes, TscomposeError} from '../base/errors.ts';

/**
 * Unix seconds from a time (`2026-01-02T03:04:05Z`, or in local time without the `Z`; a date; unix seconds) or a span
 * before now (`10m`, `1h30m`, `500ms`; negative: after now).
 */
export function parseTime(text: string, nowMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const ago = parseDuration(text);
  if (ago.ok) return nowMs / 1000 - ago.nanoseconds / 1e9;
  const [, date, time] = /^(\d{4}-\d{2}-\d{2})(T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?$/.exec(text) ?? [];
  // A date alone is midnight here, as a time without a zone is.
  const ms = date === undefined ? Number.NaN : Date.parse(`${date}${time ?? 'T00:00:00'}`);
  if (!Number.isNaN(ms)) return ms / 1000;
  throw new TscomposeError(
    'invalid',
    `"${text}" is not a time: expected 2026-01-02T03:04:05Z, unix seconds, or 10m for ten minutes ago`,
    {
      exitCode: exitCodes.usage,
    },
  );
}
