import {exitCodes, TscomposeError} from '../base/errors.ts';
import {parseSeconds} from './seconds.ts';

/** Unix seconds from a time (`2026-01-02T03:04:05Z`, a date, unix seconds) or a span before now (`10m`, `1h30m`). */
export function parseTime(text: string, nowMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const ago = parseSeconds(text);
  if (ago !== undefined && ago >= 0) return nowMs / 1000 - ago;
  const time = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time / 1000;
  throw new TscomposeError(
    'invalid',
    `"${text}" is no time: expected 2026-01-02T03:04:05Z, unix seconds, or 10m for ten minutes ago`,
    {
      exitCode: exitCodes.usage,
    },
  );
}
