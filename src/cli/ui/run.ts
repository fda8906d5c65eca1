import {exitCodes, hasKind} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {locateHelper} from '../../engine/helper/locate.ts';
import type {Project} from '../../model/types.ts';
import type {UpOptions} from '../../plan/input.ts';
import {runUi} from '../../tui/app/run-ui.ts';
import type {TerminalGuard} from '../../tui/app/terminal.ts';
import {LogStore} from '../../tui/log-store.ts';
import type {CliContext} from '../context.ts';
import {retyped} from '../retyped.ts';
import type {ReloadedStack} from '../watch.ts';
import {holdErrorOutput} from './error-output.ts';
import {monotonicTimers} from './monotonic-timers.ts';
import {terminalDevice} from './terminal-device.ts';
import {noGuard, startTerminalGuard} from './terminal-guard.ts';
import {uiTheme} from './theme.ts';
import {createWorld, type WorldOptions} from './world.ts';

export interface UiRequest {
  readonly docker: Docker;
  readonly name: string;
  /** Absent where only the project's name is known. */
  readonly project: Project | undefined;
  readonly stack: ReloadedStack;
  readonly upOptions: UpOptions;
  /** Bring the stack up when the screen opens; `yes` answers its questions. */
  readonly bringUp?: {readonly yes: boolean};
  readonly watch?: WorldOptions['watch'];
  readonly ascii: boolean;
}

/** The terminal UI until somebody quits; the stack goes on. Answers the exit code. */
export async function runTerminalUi(context: CliContext, request: UiRequest): Promise<number> {
  const {docker, name, project, stack, upOptions, bringUp} = request;
  const quit = new AbortController();
  let interrupted = false;
  using _interrupt = context.onInterrupt(() => {
    interrupted = true;
    quit.abort();
  });
  const logs = new LogStore();
  const command = retyped(context.global, []);
  const device = terminalDevice(context, () => quit.abort());
  const guard = await startGuard(context);
  using _errors = holdErrorOutput();
  try {
    await runUi({
      device,
      guard,
      world: createWorld({
        ...{context, docker, name, project, stack, upOptions, logs},
        yes: bringUp?.yes === true,
        ...(request.watch === undefined ? {} : {watch: request.watch}),
      }),
      logs,
      project: name,
      command,
      theme: uiTheme(context, request.ascii),
      timers: monotonicTimers,
      now: context.now,
      utcOffsetMinutes: () => -new Date(context.now()).getTimezoneOffset(),
      signal: quit.signal,
      onFault: onProcessFault,
      ...(bringUp === undefined ? {} : {first: {kind: 'applyPlan', command: retyped(context.global, stack.upWords)}}),
    });
  } finally {
    guard.close();
  }
  return interrupted ? exitCodes.interrupted : exitCodes.success;
}

async function startGuard({env}: CliContext): Promise<TerminalGuard> {
  try {
    return startTerminalGuard(await locateHelper(env['TSCOMPOSE_HELPER']));
  } catch (error) {
    if (hasKind(error, 'unavailable')) return noGuard;
    throw error;
  }
}

function onProcessFault(listener: (error: unknown) => void): Disposable {
  process.on('uncaughtException', listener);
  process.on('unhandledRejection', listener);
  return {
    [Symbol.dispose]() {
      process.off('uncaughtException', listener);
      process.off('unhandledRejection', listener);
    },
  };
}
