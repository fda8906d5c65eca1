import type {Service} from '../model/types.ts';
import type {UpOptions} from './input.ts';

/** When an image is pulled: what `pull_policy` says. */
export type PullPolicy =
  | {readonly kind: 'always' | 'missing' | 'never' | 'build'}
  /** Where it is missing, or its name was given to it longer ago. */
  | {readonly kind: 'every'; readonly ms: number};

const unitMs: Readonly<Record<string, number>> = {s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000};

/** What holds for a service: what is said of all, else what it says itself; without a word what is missing is pulled. */
export function statedPolicy(service: Service, {pull}: Pick<UpOptions, 'pull'> = {}): string {
  const own = service.pull_policy ?? 'missing';
  const isTimed = own === 'refresh' && service.pull_refresh_after !== undefined;
  return pull ?? (isTimed ? `every_${service.pull_refresh_after}` : own);
}

/** Undefined for one that is none. */
export function parsePullPolicy(text: string): PullPolicy | undefined {
  switch (text) {
    case 'always':
    case 'missing':
    case 'never':
    case 'build':
      return {kind: text};
    case 'if_not_present':
      return {kind: 'missing'};
    case 'refresh':
      return {kind: 'always'};
    case 'daily':
      return parsePullPolicy('every_1d');
    case 'weekly':
      return parsePullPolicy('every_1w');
    default: {
      const every = /^every_((?:\d+[wdhms])+)$/.exec(text)?.[1];
      if (every === undefined) return undefined;
      const parts = [...every.matchAll(/(\d+)([wdhms])/g)];
      return {
        kind: 'every',
        ms: parts.reduce((sum, [, count, unit = 's']) => sum + Number(count) * (unitMs[unit] ?? 0), 0),
      };
    }
  }
}
