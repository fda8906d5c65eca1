import type {Project} from '../../model/types.ts';
import type {UpOptions} from '../../plan/input.ts';
import type {Report} from '../../report/event.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {withEngine, withProject} from '../session.ts';
import {requireTerminal} from '../ui/require-terminal.ts';
import {beginWatch, type ReloadedStack, reloadedStack} from '../watch.ts';

export async function runUi(context: CliContext, {flags}: Input<'ui'>): Promise<number> {
  requireTerminal(context, 'ui');
  return withProject(context, async ({name, project, docker}) => {
    const {runTerminalUi} = await import('../ui/run.ts');
    const stack = reloadedStack(quiet(context), {});
    return runTerminalUi(context, {
      docker,
      name,
      // Without the services of profiles that are not on: with those that `up` starts.
      project: project === undefined ? undefined : await stack.load(),
      stack,
      upOptions: {},
      ascii: flags.ascii,
    });
  });
}

export interface UpInUi {
  readonly project: Project;
  /** Those that were named; empty: all. */
  readonly services: readonly string[];
  readonly stack: ReloadedStack;
  readonly options: UpOptions;
  /** Answers yes to every question. */
  readonly yes: boolean;
  readonly watch: boolean;
}

/** `up --ui`: the screen opens first and shows the stack coming up. */
export async function runUpInUi(context: CliContext, up: UpInUi): Promise<number> {
  const {project, services, stack, options, yes, watch} = up;
  const {runTerminalUi} = await import('../ui/run.ts');
  return withEngine(context, (docker) =>
    runTerminalUi(context, {
      docker,
      name: project.name,
      project,
      stack,
      upOptions: options,
      bringUp: {yes},
      ...(watch && {
        watch: (report: Report, signal: AbortSignal) =>
          beginWatch(silent(context), {docker, project, services, stack, upOptions: options, report, signal}),
      }),
      ascii: false,
    }),
  );
}

/** Questions cannot be asked beside the screen: what needs a yes waits in the plan. */
function silent(context: CliContext): CliContext {
  return {...context, global: {...context.global, progress: 'json'}};
}

/** Warnings were told when the stack was read first; on the screen there is no place for them. */
function quiet(context: CliContext): CliContext {
  return {...context, global: {...context.global, progress: 'quiet'}};
}
