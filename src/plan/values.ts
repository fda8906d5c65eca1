import type {Json} from '../base/canonical-json.ts';
import {formatDuration} from '../base/duration.ts';

const durationFields =
  /(^|\.)(stop_grace_period|healthcheck\.(interval|timeout|start_period|start_interval)|delay|window)$/;
const sizeFields = /(^|\.)(mem_limit|mem_reservation|memswap_limit|shm_size|memory|size)$/;

/** A value as a person reads it: durations and sizes with units, lists on one line. */
export function showValue(field: string, value: Json): string {
  if (typeof value === 'number' && durationFields.test(field)) return formatDuration(value);
  if (typeof value === 'number' && sizeFields.test(field)) return showSize(value);
  if (typeof value === 'number' && /(^|\.)mode$/.test(field)) return `0${value.toString(8)}`;
  if (typeof value === 'string') return /^[\w./:@%+,=~-]+$/.test(value) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => showValue('', item)).join(', ')}]`;
  return JSON.stringify(value);
}

/** Bytes as `256M`; only units that leave nothing over. */
function showSize(bytes: number): string {
  for (const [unit, size] of [
    ['G', 1024 ** 3],
    ['M', 1024 ** 2],
    ['K', 1024],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}
