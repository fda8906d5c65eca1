import {constants} from 'node:os';
import {TscomposeError} from '../../base/errors.ts';

/** Real-time signals as the C library numbers them: two below SIGRTMIN are its own. */
const firstRealTime = 34;
const lastRealTime = 64;

/** `SIGTERM`, `term`, `15`, `RTMIN+3`. The answer is a name that the helper knows, or a number as text. Throws `invalid`. */
export function parseSignal(text: string): string {
  const number = signalNumber(text);
  if (number === undefined) throw new TscomposeError('invalid', `invalid signal: ${text}`);
  return String(number);
}

/** Undefined for what is no signal. */
function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= lastRealTime ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const known = (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`];
  if (known !== undefined) return known;
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (!realTime) return undefined;
  const [, base, sign, offset = '0'] = realTime;
  const number = (base === 'MIN' ? firstRealTime : lastRealTime) + (sign === '-' ? -1 : 1) * Number(offset);
  return number >= firstRealTime && number <= lastRealTime ? number : undefined;
}
