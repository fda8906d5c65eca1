import {Transform} from 'node:stream';
import {watchKeys} from '../api/detach-keys.ts';
import {systemClock} from '../base/clock.ts';
import {exitCodes, hasKind, TscomposeError, toTscomposeError} from '../base/errors.ts';
import type {Container} from '../client/container.ts';
import type {Docker} from '../client/docker.ts';
import type {CliContext} from './context.ts';
import {joinProcess} from './join-process.ts';

export interface Attachment {
  readonly docker: Docker;
  readonly container: Container;
  readonly name: string;
  readonly tty: boolean;
  readonly input: boolean;
  readonly endsInput: boolean;
  /** Signals that come here are handed over. */
  readonly proxies: boolean;
  /** It is there for this command alone: it is told, too, that the terminal was closed. */
  readonly isOwn?: boolean;
  readonly keys: string;
  readonly detachKeys: Uint8Array;
  /** Awaited once it is attached, before anything is handed over: what starts it. */
  readonly begin?: () => Promise<void>;
}

export interface Joined {
  readonly exitCode: number;
  /** It was let go of. */
  readonly goesOn: boolean;
}

const lostAfterMs = 5000;

/** Until the container ends, whose exit code is answered, or until it is let go of: 0, or 130 for an interrupt. */
export async function joinContainer(context: CliContext, attachment: Attachment): Promise<Joined> {
  const {docker, container, tty, input, endsInput, detachKeys, keys, begin} = attachment;
  const done = new AbortController();
  // From before it can end: its exit code, also where it is started again at once.
  const deaths = await docker.getEvents({
    filters: {type: ['container'], container: [container.id], event: ['die']},
    abortSignal: done.signal,
  });
  const died = firstExitCode(deaths, done.signal);
  // It may fail before it is waited for.
  died.catch(() => undefined);
  const stream = await container.attach({stdin: input, detachKeys: keys});
  let left: number | undefined;
  const leave = (exitCode: number): void => {
    left ??= exitCode;
    stream.close();
  };
  using _signals = handleSignals(context, attachment, () => leave(exitCodes.interrupted));
  try {
    await begin?.();
    if (tty) await showSize(context, container);
    await joinProcess(context, {
      stream,
      endsInput,
      input: input && (tty ? detachFilter(detachKeys, () => leave(exitCodes.success)) : true),
      ...(tty && {resize: (size) => container.resize(size)}),
    });
    if (left !== undefined) {
      if (context.stderr.isTTY === true) context.stderr.write(`\ndetached from ${attachment.name}, which goes on\n`);
      return {exitCode: left, goesOn: true};
    }
    const exitCode = await Promise.race([died, systemClock(context.now).sleep(lostAfterMs, done.signal)]);
    if (exitCode !== undefined) return {exitCode, goesOn: false};
    throw new TscomposeError('unavailable', `the connection to ${attachment.name} was lost`);
  } finally {
    done.abort();
    stream.close();
  }
}

async function firstExitCode(
  deaths: AsyncIterable<{readonly Actor: {readonly Attributes: Readonly<Record<string, string>>}}>,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    for await (const {Actor} of deaths) return Number(Actor.Attributes['exitCode'] ?? 0);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}

/** Programs draw anew only when the size changes: so that the first picture comes at once, it is changed twice. */
async function showSize({stdout}: CliContext, container: Container): Promise<void> {
  if (stdout.isTTY !== true) return;
  const {rows: h, columns: w} = stdout;
  for (const size of [
    {h: h + 1, w: w + 1},
    {h, w},
  ]) {
    await container.resize(size).catch((error: unknown) => {
      if (!hasKind(error, 'conflict', 'notFound')) throw error;
    });
  }
}

function detachFilter(keys: Uint8Array, onFound: () => void): Transform {
  const watch = watchKeys(keys);
  return new Transform({
    transform(typed: Buffer, _encoding, done) {
      const {data, found} = watch.pass(typed);
      if (data.length > 0) this.push(data);
      if (found) onFound();
      done();
    },
  });
}

const handedOver: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];
/** So many interrupts within this time are meant for us: the process may take no notice of them. */
const impatience = {times: 3, withinMs: 2000};

function handleSignals(
  context: CliContext,
  {container, proxies, isOwn = false}: Attachment,
  leave: () => void,
): Disposable {
  if (!proxies) return context.onSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], leave);
  let interrupts: readonly number[] = [];
  return context.onSignals(handedOver, (signal) => {
    // The terminal was closed: that is no reason for the service to end.
    if (signal === 'SIGHUP' && !isOwn && context.stdin.isTTY === true) return leave();
    if (signal === 'SIGINT') {
      interrupts = [...interrupts, context.now()].slice(-impatience.times);
      const [first = 0] = interrupts;
      if (interrupts.length === impatience.times && context.now() - first <= impatience.withinMs) {
        leave();
        return;
      }
    }
    container.kill({signal}).catch((error: unknown) => {
      // One that has ended meanwhile needs no signal.
      if (hasKind(error, 'conflict', 'notFound')) return;
      context.stderr.write(`warning: ${toTscomposeError(error).message}\n`);
    });
  });
}
