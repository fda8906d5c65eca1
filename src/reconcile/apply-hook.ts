import type {Clock} from '../base/clock.ts';
import {type ErrorKind, exitCodes, hasKind, TscomposeError, toTscomposeError} from '../base/errors.ts';
import type {OutputChunk} from '../client/demux.ts';
import type {Action, Cause, ContainerId, ContainerRef, HookName} from '../plan/action.ts';
import {shownPosition} from '../plan/builder.ts';
import type {Evidence} from '../report/event.ts';
import type {EngineClient} from './engine-client.ts';
import {execHook} from './exec-hook.ts';
import {awaitNoted} from './observe-hooks.ts';

/** Where the output of one run of a hook goes. */
export interface HookOutput {
  write(chunk: OutputChunk): void;
  end(): void;
}

export interface HookContext {
  readonly engine: EngineClient;
  readonly signal: AbortSignal;
  readonly hookOutput?: ((container: ContainerRef) => HookOutput) | undefined;
  /** Of the project: places in files are told as seen from there. */
  readonly workingDir: string;
  readonly clock: Clock;
  /** The container is there for one command, beside which the hook runs: that may end first. */
  readonly isOneOff?: boolean;
}

/** A hook that did not end well, with what it wrote. */
export class HookFailure extends TscomposeError {
  readonly evidence: Evidence;

  constructor(evidence: Evidence, ...[kind, message, options]: ConstructorParameters<typeof TscomposeError>) {
    super(kind, message, options);
    this.evidence = evidence;
  }
}

interface HookRun extends HookContext {
  readonly id: ContainerId;
  readonly why: Cause;
}

/** Runs it to its end. A container that ends meanwhile is what a command before its stop is for, and no failure. */
export async function applyHook(action: Action<'runHook'>, context: HookRun): Promise<void> {
  const {container, hook, run} = action;
  const {engine, clock, signal, id, isOneOff = false} = context;
  const mayEnd = hook === 'pre_stop' || isOneOff;
  const since = clock.now();
  const output = context.hookOutput?.(container);
  try {
    const result = await execHook(engine, id, run, {signal, onOutput: (chunk) => output?.write(chunk)});
    if (result.exitCode === 0) {
      // Before a stop, and of one command's container, nobody asks afterwards.
      if (!mayEnd) await awaitNoted(engine, {container: id, exec: result.id, since});
      return;
    }
    if (mayEnd && (await hasEnded(context, {soon: result.exitCode === killed}))) return;
    const reason = `failed with exit code ${result.exitCode}`;
    throw failureOf(action, context, {kind: 'dependencyFailed', reason, log: result.output});
  } catch (error) {
    if (error instanceof HookFailure) throw error;
    const wrapped = toTscomposeError(error);
    if (wrapped.kind === 'canceled') throw wrapped;
    if (mayEnd && (await hasEnded(context, {soon: isOneOff || wrapped.kind === 'conflict'}))) return;
    const reason = `could not be run: ${wrapped.message}`;
    throw failureOf(action, context, {kind: wrapped.kind, reason, log: [], cause: wrapped});
  } finally {
    output?.end();
  }
}

function failureOf(
  {container, hook, number}: Action<'runHook'>,
  {why: {source}, workingDir, isOneOff = false}: HookRun,
  {kind, reason, log, cause}: {kind: ErrorKind; reason: string; log: readonly string[]; cause?: unknown},
): HookFailure {
  const place = source === undefined ? '' : `${shownPosition(source, workingDir)}: `;
  const what = `service "${container.service}": ${hook} hook ${number} in container "${container.name}"`;
  return new HookFailure({container: container.name, log}, kind, `${place}${what} ${reason}`, {
    hint: isOneOff ? 'correct the command, or take it out of the stack file' : hints[hook],
    // Why a process could not start is the exit code of a command that was to run it, not of one for a stack.
    ...(engineKinds.includes(kind) ? {} : {exitCode: exitCodes.failure}),
    cause,
  });
}

/** What is nobody's fault but the engine's. */
const engineKinds: readonly ErrorKind[] = ['unavailable', 'exhausted', 'internal', 'timeout'];

const hints: Readonly<Record<HookName, string>> = {
  post_start: 'once the command works, "tscompose up" goes on with it',
  pre_stop: 'the container goes on running; correct the command, or take it out of the stack file, and stop it again',
};

/** What all processes of a container end with when its first one ends. */
const killed = 128 + 9;
const looks = {times: 20, everyMs: 100};

/** Whether the container does not run any more. `soon`: it seems so, and the engine may notice it in a moment only. */
async function hasEnded({engine, clock, signal, id}: HookRun, {soon}: {readonly soon: boolean}): Promise<boolean> {
  for (let look = 1; ; look++) {
    try {
      const {Status} = (await engine.getContainer(id).inspect()).State;
      if (Status !== 'running' && Status !== 'paused') return true;
      if (Status === 'paused' || !soon || look === looks.times) return false;
    } catch (error) {
      if (hasKind(error, 'notFound')) return true;
      throw error;
    }
    await clock.sleep(looks.everyMs, signal);
  }
}
