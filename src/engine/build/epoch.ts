import {TscomposeError} from '../../base/errors.ts';

/** The latest that an RFC 3339 text can say, in seconds. */
const latest = 253_402_300_799;

/** SOURCE_DATE_EPOCH in seconds; undefined where it says nothing. Throws `invalid`. */
export function readEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const seconds = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= latest) return seconds;
  throw new TscomposeError(
    'invalid',
    `build argument SOURCE_DATE_EPOCH: "${text}" is no number of seconds since 1970`,
    {
      hint: 'write what "date +%s" or "git log -1 --format=%ct" says',
    },
  );
}

export function epochTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}
