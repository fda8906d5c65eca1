/** A span of time in at most four cells: `4s`, `59m`, `23h`, `12d`. */
export function shortSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  return days < 1000 ? `${days}d` : `${Math.floor(days / 365)}y`;
}

const units = ['B', 'K', 'M', 'G', 'T', 'P'] as const;

/** Bytes in powers of 1024, at most four cells: `640K`, `81M`, `1.2G`. */
export function shortBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (Math.round(value) >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = value < 9.95 && unit > 0 && Math.abs(value - Math.round(value)) >= 0.05 ? 1 : 0;
  return `${value.toFixed(digits)}${units[unit]}`;
}

/** `12%`, at most four cells below a hundred cores. */
export function shortPercent(percent: number): string {
  return `${Math.min(9999, Math.round(Math.max(0, percent)))}%`;
}

/** `12:04:31` by the offset of the user's zone. */
export function clockTime(time: number, utcOffsetMinutes: number): string {
  if (!Number.isFinite(time)) return '--:--:--';
  const seconds = Math.floor(time / 1000) + utcOffsetMinutes * 60;
  const ofDay = ((seconds % 86_400) + 86_400) % 86_400;
  return `${two(Math.floor(ofDay / 3600))}:${two(Math.floor(ofDay / 60) % 60)}:${two(ofDay % 60)}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
