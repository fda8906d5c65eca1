import {TscomposeError} from '../base/errors.ts';
import type {Docker} from '../client/docker.ts';
import type {ConvergeContext} from '../reconcile/converge.ts';
import type {Reporter} from '../report/reporter.ts';
import type {CliContext} from './context.ts';
import {converging} from './converging.ts';
import {askOnTerminal} from './question.ts';

export interface WorkOptions {
  /** `up shop`. */
  readonly title: string;
  /** Answers yes to every question. */
  readonly yes?: boolean;
  /** Logs are printed meanwhile: lines that are drawn anew would be torn apart. */
  readonly withLogs?: boolean;
  /** Awaited before a container is started. */
  readonly beforeStart?: ConvergeContext['beforeStart'];
  readonly hookOutput?: ConvergeContext['hookOutput'];
}

/** After Ctrl-C, what is under way is given this long before a word about it. */
const tellCancelAfterMs = 300;

/**
 * Runs work of the reconciler with progress on standard error. The first Ctrl-C cancels it at the next safe point; what
 * was done so far stays whole. The second leaves at once: what is under way is for the next command to put right.
 */
export async function withProgress<T>(
  context: CliContext,
  docker: Docker,
  options: WorkOptions,
  work: (converge: ConvergeContext) => Promise<T>,
): Promise<T> {
  const reporter = await createReporter(context, options);
  const abort = new AbortController();
  let leave: (error: TscomposeError) => void = () => {};
  const left = new Promise<never>((_resolve, reject) => {
    leave = reject;
  });
  let tell: NodeJS.Timeout | undefined;
  using _interrupt = context.onInterrupt(() => {
    if (abort.signal.aborted) {
      leave(new TscomposeError('canceled', 'left at once: what was under way may not be finished'));
      return;
    }
    abort.abort();
    const message = 'interrupted: finishing; Ctrl-C again leaves at once';
    if (options.withLogs !== true) {
      tell = setTimeout(
        () => reporter.report({kind: 'notice', notice: {level: 'warning', message}}),
        tellCancelAfterMs,
      );
    }
  });
  try {
    const done = work({
      ...converging(context, docker),
      report: reporter.report,
      signal: abort.signal,
      ...(options.beforeStart !== undefined && {beforeStart: options.beforeStart}),
      ...(options.hookOutput !== undefined && {hookOutput: options.hookOutput}),
      ask: async (consent) => options.yes === true || (await askOnTerminal(context, consent.question)),
    });
    return await Promise.race([done, left]);
  } finally {
    clearTimeout(tell);
    reporter.finish();
  }
}

/** By `--progress`; otherwise a terminal gets live lines, everything else plain ones. */
export async function createReporter(context: CliContext, {title, withLogs = false}: WorkOptions): Promise<Reporter> {
  const {stderr, now, env} = context;
  const wanted = context.global.progress ?? env['COMPOSE_PROGRESS'] ?? 'auto';
  if (wanted === 'quiet') return (await import('../report/quiet.ts')).quietReporter();
  if (wanted === 'json') return (await import('../report/json.ts')).jsonReporter({output: stderr, now});
  const live =
    !withLogs &&
    (wanted === 'tty' || (wanted === 'auto' && stderr.isTTY === true && env['TERM'] !== 'dumb' && !env['CI']));
  if (!live) {
    const {plainReporter} = await import('../report/plain.ts');
    // Asked each time: a terminal may be made wider.
    const columns = () => (stderr.isTTY === true && (stderr.columns ?? 0) > 0 ? stderr.columns : undefined);
    return plainReporter({output: stderr, now, columns, color: context.color(stderr)});
  }
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
