import {systemClock} from '../base/clock.ts';
import type {Docker} from '../client/docker.ts';
import type {ConvergeContext} from '../reconcile/converge.ts';
import type {Reporter} from '../report/reporter.ts';
import type {CliContext} from './context.ts';
import {askOnTerminal} from './question.ts';

export interface WorkOptions {
  /** `up shop`. */
  readonly title: string;
  /** Answers yes to every question. */
  readonly yes?: boolean;
  /** Logs are printed meanwhile: lines that are drawn anew would be torn apart. */
  readonly withLogs?: boolean;
}

/**
 * Runs work of the reconciler with progress on standard error. The first Ctrl-C cancels it at the next safe point; what
 * was done so far stays whole.
 */
export async function withProgress<T>(
  context: CliContext,
  docker: Docker,
  options: WorkOptions,
  work: (converge: ConvergeContext) => Promise<T>,
): Promise<T> {
  const reporter = await createReporter(context, options);
  const abort = new AbortController();
  using _interrupt = context.onInterrupt(() => abort.abort());
  const {parallel} = context.global;
  try {
    return await work({
      engine: docker,
      clock: systemClock(context.now),
      report: reporter.report,
      signal: abort.signal,
      ...(parallel !== undefined && {parallel: parallel < 1 ? 256 : parallel}),
      ask: async (consent) => options.yes === true || (await askOnTerminal(context, consent.question)),
    });
  } finally {
    reporter.finish();
  }
}

/** By `--progress`; otherwise a terminal gets live lines, everything else plain ones. */
async function createReporter(context: CliContext, {title, withLogs = false}: WorkOptions): Promise<Reporter> {
  const {stderr, now, env} = context;
  const wanted = context.global.progress ?? env['COMPOSE_PROGRESS'] ?? 'auto';
  if (wanted === 'quiet') return (await import('../report/quiet.ts')).quietReporter();
  if (wanted === 'json') return (await import('../report/json.ts')).jsonReporter({output: stderr, now});
  const live =
    !withLogs &&
    (wanted === 'tty' || (wanted === 'auto' && stderr.isTTY === true && env['TERM'] !== 'dumb' && !env['CI']));
  if (!live) return (await import('../report/plain.ts')).plainReporter({output: stderr, now});
  const {liveReporter} = await import('../report/live.ts');
  return liveReporter({
    terminal: {
      write: (text) => stderr.write(text),
      get columns() {
        return stderr.columns ?? 80;
      },
      get rows() {
        return stderr.rows ?? 24;
      },
    },
    color: context.color(stderr),
    title,
    now,
    every(ms, callback) {
      const timer = setInterval(callback, ms);
      return {[Symbol.dispose]: () => clearInterval(timer)};
    },
  });
}
