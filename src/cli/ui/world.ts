import {systemClock} from '../../base/clock.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {Project} from '../../model/types.ts';
import type {ContainerId} from '../../plan/action.ts';
import {type UpOptions, unforced} from '../../plan/input.ts';
import {changeReplica, restart, start, stop, up} from '../../reconcile/commands.ts';
import type {ConvergeContext} from '../../reconcile/converge.ts';
import type {Report} from '../../report/event.ts';
import type {UiWorld} from '../../tui/app/world.ts';
import type {LogStore} from '../../tui/log-store.ts';
import type {UiEffect, UiEventContent} from '../../tui/types.ts';
import type {WatchSession} from '../../watch/session/session.ts';
import type {CliContext} from '../context.ts';
import {converging} from '../converging.ts';
import {lowerFor} from '../plan-now.ts';
import {type ReloadedStack, unpulledBy} from '../watch.ts';
import {followContainers} from './follow-containers.ts';
import {followOutput, type OutputSource} from './follow-output.ts';
import {openUrl} from './open-url.ts';
import {stackEvent} from './pending-plan.ts';
import {pollUsage} from './poll-usage.ts';
import {runShell} from './shell.ts';
import {type StackWatch, watchStack} from './stack-watch.ts';
import {watchReporter} from './watch-status.ts';

export interface WorldOptions {
  readonly context: CliContext;
  readonly docker: Docker;
  readonly name: string;
  /** Absent where only the project's name is known. */
  readonly project: Project | undefined;
  readonly stack: ReloadedStack;
  readonly upOptions: UpOptions;
  /** Answers yes to every question. */
  readonly yes: boolean;
  readonly logs: LogStore;
  /** Brings files into the containers as they are saved, until the signal. */
  readonly watch?: (report: Report, signal: AbortSignal) => Promise<WatchSession>;
}

interface Parts {
  readonly output: OutputSource;
  readonly stack: StackWatch;
  readonly watch: WatchSession | undefined;
}

type Change = Extract<UiEffect, {readonly kind: 'restart' | 'stop' | 'start'}>;

/** The engine and the stack file, as the UI sees and changes them. */
export function createWorld(options: WorldOptions): UiWorld {
  const {context, docker, name, logs} = options;
  const clock = systemClock(context.now);
  let {upOptions} = options;
  let emit: (event: UiEventContent) => void = () => undefined;
  let begun: (parts: Parts) => void = () => undefined;
  const running = new Promise<Parts>((resolve) => {
    begun = resolve;
  });

  const convergeContext = (signal: AbortSignal, agreed: readonly string[] = []): ConvergeContext => ({
    ...converging(context, docker, () => options.stack.locked().extras),
    signal,
    report: (event) => emit({kind: 'progress', event: {time: context.now(), ...event}}),
    // Only what was on the screen when somebody said yes.
    ask: async ({question}) => options.yes || agreed.includes(question),
  });
  const applyPlan = async (signal: AbortSignal): Promise<void> => {
    const {stack, watch} = await running;
    using _held = stack.hold();
    const project = stack.project();
    const {problem, questions = []} = stack.plan() ?? {};
    if (problem !== undefined) throw new TscomposeError('invalid', 'the stack file has problems: see the plan');
    const lowered = await lowerFor(context, docker, project);
    const converge = convergeContext(signal, questions);
    await up(
      {project, ...lowered, options: {...upOptions, ...unpulledBy(options.stack)}},
      watch === undefined ? converge : {...converge, beforeStart: watch.beforeStart},
    );
    upOptions = unforced(upOptions);
  };
  const change = async ({kind, target}: Change, signal: AbortSignal): Promise<void> => {
    const project = options.project === undefined ? undefined : (await running).stack.project();
    if (target.kind === 'replica') {
      const replica = {id: target.id as ContainerId, change: kind};
      await changeReplica({name, project}, replica, convergeContext(signal));
      return;
    }
    const services = {services: [target.service]};
    await {restart, start, stop}[kind]({name, project}, services, convergeContext(signal));
  };

  return {
    async follow(tell, signal) {
      emit = tell;
      const {project} = options;
      if (project !== undefined) emit(stackEvent(project));
      const stack = watchStack({
        ...options,
        upOptions: () => ({...upOptions, ...unpulledBy(options.stack)}),
        clock,
        emit,
        signal,
      });
      const source = followContainers({
        docker,
        project: name,
        clock,
        emit,
        onChange: () => stack.touch(),
        signal,
      });
      const output = followOutput({
        docker,
        project: name,
        logs,
        containers: source.containers,
        emit,
        now: context.now,
        signal,
      });
      // Before the stack comes up: what is created gets its files at once.
      const watch = await options.watch?.(watchReporter(emit), signal);
      begun({output, stack, watch});
      const usage = pollUsage({docker, clock, containers: () => source.containers.values(), emit, signal});
      await Promise.all([stack.ended, source.ended, output.ended, usage, watch?.ended]);
    },
    async perform(effect, signal) {
      switch (effect.kind) {
        case 'applyPlan':
          await applyPlan(signal);
          return undefined;
        case 'refreshPlan':
          await (await running).stack.refresh();
          return undefined;
        case 'loadPreviousLog':
          await (await running).output.loadPrevious(effect.service);
          return undefined;
        case 'openUrl':
          return (await openUrl(context, effect.url)) ? `opened ${effect.url}` : effect.url;
        case 'restart':
        case 'stop':
        case 'start':
          await change(effect, signal);
          return undefined;
      }
    },
    async shell({id, name: container}) {
      const code = await runShell(context, docker, id, container);
      return code === 0 ? undefined : `the shell in ${container} ended with code ${code}`;
    },
  };
}
