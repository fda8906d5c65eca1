import type {Docker} from '../client/docker.ts';
import type {ConvergeContext} from '../reconcile/converge.ts';
import type {Reporter} from '../report/reporter.ts';
import type {CliContext} from './context.ts';
import {converging} from './converging.ts';
import {interruptible} from './interruptible.ts';
import {askOnTerminal} from './question.ts';

export interface WorkOptions {
  /** `up shop`. */
  readonly title: string;
  /** Nothing is told. */
  readonly quiet?: boolean;
  /** Where it is told, standard error where absent; JSON goes there in any case. */
  readonly stream?: NodeJS.WriteStream;
  /** Answers yes to every question. */
  readonly yes?: boolean;
  /** Logs are printed meanwhile: lines that are drawn anew would be torn apart. */
  readonly withLogs?: boolean;
  /** Awaited before a container is started. */
  readonly beforeStart?: ConvergeContext['beforeStart'];
  readonly hookOutput?: ConvergeContext['hookOutput'];
}

/** Runs work of the reconciler with progress on standard error; Ctrl-C as `interruptible` has it. */
export async function withProgress<T>(
  context: CliContext,
  docker: Docker,
  options: WorkOptions,
  work: (converge: ConvergeContext, reporter: Pick<Reporter, 'pause'>) => Promise<T>,
): Promise<T> {
  const reporter = await createReporter(context, options);
  try {
    return await interruptible(context, {report: reporter.report, silent: options.withLogs === true}, (signal) =>
      work(
        {
          ...converging(context, docker),
          report: reporter.report,
          signal,
          ...(options.beforeStart !== undefined && {beforeStart: options.beforeStart}),
          ...(options.hookOutput !== undefined && {hookOutput: options.hookOutput}),
          ask: async (consent) => options.yes === true || (await askOnTerminal(context, consent.question)),
        },
        reporter,
      ),
    );
  } finally {
    reporter.finish();
  }
}

/** Runs other work with progress on standard error. */
export async function withReporter<T>(
  context: CliContext,
  options: Pick<WorkOptions, 'title' | 'quiet' | 'stream'>,
  work: (parts: Pick<ConvergeContext, 'report' | 'signal'> & Pick<Reporter, 'pause'>) => Promise<T>,
): Promise<T> {
  const reporter = await createReporter(context, options);
  try {
    const {report, pause} = reporter;
    return await interruptible(context, {report}, (signal) => work({report, pause, signal}));
  } finally {
    reporter.finish();
  }
}

/** `--progress` of a command itself counts before that of the whole. */
export function withStatedProgress(context: CliContext, progress: CliContext['global']['progress']): CliContext {
  return progress === undefined ? context : {...context, global: {...context.global, progress}};
}

/** By `--progress`; otherwise a terminal gets live lines, everything else plain ones. */
export async function createReporter(
  context: CliContext,
  {title, withLogs = false, quiet = false, stream = context.stderr}: WorkOptions,
): Promise<Reporter> {
  const {stderr, now, env} = context;
  const wanted = quiet ? 'quiet' : (context.global.progress ?? env['COMPOSE_PROGRESS'] ?? 'auto');
  if (wanted === 'quiet') return (await import('../report/quiet.ts')).quietReporter();
  if (wanted === 'json') return (await import('../report/json.ts')).jsonReporter({output: stderr, now});
  const color = context.color(stream);
  const live =
    !withLogs &&
    (wanted === 'tty' || (wanted === 'auto' && stream.isTTY === true && env['TERM'] !== 'dumb' && !env['CI']));
  if (!live) {
    const {plainReporter} = await import('../report/plain.ts');
    // Asked each time: a terminal may be made wider.
    const columns = () => (stream.isTTY === true && (stream.columns ?? 0) > 0 ? stream.columns : undefined);
    return plainReporter({output: stream, now, columns, color});
  }
  const {liveReporter} = await import('../report/live.ts');
  return liveReporter({
    terminal: {
      write: (text) => stream.write(text),
      get columns() {
        return stream.columns ?? 80;
      },
      get rows() {
        return stream.rows ?? 24;
      },
    },
    color,
    title,
    now,
    every(ms, callback) {
      const timer = setInterval(callback, ms);
      return {[Symbol.dispose]: () => clearInterval(timer)};
    },
  });
}
