import type {LogLevel} from './types.ts';

const words: Readonly<Record<string, LogLevel>> = {
  emerg: 'error',
  emergency: 'error',
  alert: 'error',
  panic: 'error',
  fatal: 'error',
  critical: 'error',
  crit: 'error',
  severe: 'error',
  error: 'error',
  eror: 'error',
  err: 'error',
  warning: 'warning',
  warn: 'warning',
  notice: 'info',
  info: 'info',
  information: 'info',
  log: 'info',
  debug: 'debug',
  verbose: 'debug',
  trace: 'debug',
};

/** Names of fields that hold a level, in JSON (`"level":"warn"`, `"level":40`) and in `level=warn`. */
const field = /["\s{,]?\b(?:log\.)?(?:level|lvl|severity|levelname|loglevel)"?\s*[:=]\s*"?([A-Za-z]+|\d{2})\b/i;
/** `[error]`, `<warn>`, `(info)`; `ERROR`, `WARN:` in capitals; `error:`, `warning -` at the beginning. */
const bracketed =
  /[[<(](emerg|alert|panic|fatal|critical|crit|severe|error|err|warning|warn|notice|info|debug|trace)[\])>:]/i;
const capitals =
  /(?:^|[\s|\][:])(EMERG|ALERT|PANIC|FATAL|CRITICAL|CRIT|SEVERE|ERROR|ERR|WARNING|WARN|NOTICE|INFO|LOG|DEBUG|VERBOSE|TRACE)(?=$|[\s:|\][!,-])/;
const leading = /^(fatal|error|err|warning|warn|info|debug|panic|npm err)(?: error)?[:!]/i;
/** Uncaught errors: `TypeError: x`, `java.lang.Exception: x`, `Traceback (most recent call last):`, a Go panic. */
const thrown =
  /^(?:Uncaught )?[\w.$]*(?:Error|Exception)\b(?:\s*\[[^\]]*\])?:|^Traceback \(most recent call last\)|^goroutine \d+ \[running\]/;
const serverError = /HTTP\/\d(?:\.\d)?" 5\d\d /;
/** Pino, bunyan: 10 trace to 60 fatal. */
const numbers: readonly LogLevel[] = ['none', 'debug', 'debug', 'info', 'warning', 'error', 'error'];
/** The level stands near the beginning: what follows is the message, which may speak of errors. */
const head = 160;

/** The level that a line of a log names for itself; `none` where it names none. */
export function logLevel(text: string): LogLevel {
  const start = text.length > head ? text.slice(0, head) : text;
  const isJson = start.startsWith('{');
  const named = field.exec(isJson && text.length > head ? text.slice(0, head * 4) : start)?.[1];
  if (named !== undefined) {
    const level = /^\d/.test(named) ? numbers[Math.floor(Number(named) / 10)] : words[named.toLowerCase()];
    if (level !== undefined) return level;
  }
  if (isJson) return 'none';
  const word = bracketed.exec(start)?.[1] ?? leading.exec(start)?.[1] ?? capitals.exec(start)?.[1];
  if (word !== undefined) return words[word.toLowerCase()] ?? 'error';
  return thrown.test(start) || serverError.test(text) ? 'error' : 'none';
}
