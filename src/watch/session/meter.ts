import type {WatchTimes} from '../../report/watch-event.ts';

/** How many of the latest saves count. */
const kept = 200;

/** How long saves took to reach each service. */
export interface Meter {
  /** A save of the service, and when it was in all of its running containers. */
  visible(service: string, ms: number): void;
  /** When the service served again. */
  serving(service: string, ms: number): void;
  /** Over the latest saves of the service that it served again after; undefined: there was none. */
  servingOf(service: string): Latest | undefined;
  times(): readonly WatchTimes[];
}

export interface Latest {
  readonly saves: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
}

export function createMeter(): Meter {
  const services = new Map<string, {saves: number; readonly visible: number[]; readonly serving: number[]}>();
  const of = (service: string) => {
    const known = services.get(service) ?? {saves: 0, visible: [], serving: []};
    services.set(service, known);
    return known;
  };
  return {
    visible(service, ms) {
      const entry = of(service);
      entry.saves += 1;
      push(entry.visible, ms);
    },
    serving(service, ms) {
      push(of(service).serving, ms);
    },
    servingOf(service) {
      const {serving} = of(service);
      return serving.length === 0 ? undefined : {saves: serving.length, ...percentiles(serving)};
    },
    times: () =>
      [...services]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([service, {saves, visible, serving}]) => ({
          service,
          saves: Math.max(saves, serving.length),
          ...(visible.length === 0 ? {} : {visible: percentiles(visible)}),
          ...(serving.length === 0 ? {} : {serving: percentiles(serving)}),
        })),
  };
}

function push(values: number[], value: number): void {
  values.push(value);
  if (values.length > kept) values.shift();
}

/** By nearest rank. */
export function percentiles(values: readonly number[]): {readonly p50Ms: number; readonly p95Ms: number} {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  return {p50Ms: rank(0.5), p95Ms: rank(0.95)};
}
