import type {Hook, Project} from '../model/types.ts';
import type {Cause, ContainerRef, HookName, NodeId} from './action.ts';
import type {PlanBuilder} from './builder.ts';
import type {Memory} from './input.ts';
import type {ObservedContainer} from './observed.ts';

type After = Iterable<NodeId | undefined>;

/**
 * The commands of a service as the stack file says them now, as Compose takes them: one that cannot end well is corrected
 * or taken out there, also for containers that were made with it.
 */
export function hooksOf(project: Project | undefined, service: string, hook: HookName): readonly Hook[] {
  const known = {...project?.disabledServices, ...project?.services};
  return Object.hasOwn(known, service) ? (known[service]?.[hook] ?? []) : [];
}

interface Of {
  readonly project: Project | undefined;
  readonly container: ContainerRef;
}

/** Starts a container and runs its `post_start` hooks. Answers the node after which it counts as started. */
export function startWithHooks(plan: PlanBuilder, of: Of, why: Cause, after: After): NodeId {
  const start = plan.add({kind: 'startContainer', container: of.container}, why, after);
  return addHooks(plan, {...of, hook: 'post_start', reason: 'after its start'}, [start]) ?? start;
}

interface Stop extends Pick<Of, 'project'> {
  readonly container: ObservedContainer;
  readonly timeoutSeconds: number | undefined;
}

/** Runs the `pre_stop` hooks of a container and stops it. */
export function stopWithHooks(plan: PlanBuilder, stop: Stop, why: Cause, after: After): NodeId {
  const {project, container, timeoutSeconds} = stop;
  const last = addPreStop(plan, project, container, after);
  return plan.add(
    {kind: 'stopContainer', container: reference(container), ...(timeoutSeconds === undefined ? {} : {timeoutSeconds})},
    why,
    last === undefined ? after : [last],
  );
}

/** The same in one call; `post_start` hooks follow. */
export function restartWithHooks(plan: PlanBuilder, restart: Stop, why: Cause, after: After): NodeId {
  const {project, container: observed, timeoutSeconds} = restart;
  const last = addPreStop(plan, project, observed, after);
  const container = reference(observed);
  const node = plan.add(
    {kind: 'restartContainer', container, ...(timeoutSeconds === undefined ? {} : {timeoutSeconds})},
    why,
    last === undefined ? after : [last],
  );
  return addHooks(plan, {project, container, hook: 'post_start', reason: 'after its start'}, [node]) ?? node;
}

/**
 * Runs the `post_start` hooks that a running container still lacks: because the command that started it was killed, or one
 * of them failed. Undefined where it lacks none.
 */
export function addMissingHooks(
  plan: PlanBuilder,
  {project, container, memory}: Pick<Of, 'project'> & {readonly container: ObservedContainer; readonly memory: Memory},
): NodeId | undefined {
  const done = memory.hooksDone.get(container.id) ?? container.hooksDone;
  if (done === undefined || container.status !== 'running') return undefined;
  const reason = 'has not run since its start';
  return addHooks(plan, {project, container: reference(container), hook: 'post_start', done, reason}, []);
}

/**
 * One that its policy is about to start again has crashed: there is nothing to run a command in. Nothing runs in a paused one
 * either, and that must not keep it from being stopped.
 */
function addPreStop(
  plan: PlanBuilder,
  project: Project | undefined,
  container: ObservedContainer,
  after: After,
): NodeId | undefined {
  if (container.status === 'paused' && hooksOf(project, container.service, 'pre_stop').length > 0)
    plan.note({
      level: 'warning',
      message: `container "${container.name}" is paused: it is stopped without its pre_stop hooks`,
    });
  if (container.status !== 'running') return undefined;
  const reason = 'before its stop';
  return addHooks(plan, {project, container: reference(container), hook: 'pre_stop', reason}, after);
}

interface Hooks extends Of {
  readonly hook: HookName;
  readonly reason: string;
  /** So many of the first need not be run. */
  readonly done?: number;
}

/** One after the other. Answers the last one. */
function addHooks(
  plan: PlanBuilder,
  {project, container, hook, reason, done = 0}: Hooks,
  after: After,
): NodeId | undefined {
  let last: NodeId | undefined;
  for (const [index, run] of hooksOf(project, container.service, hook).entries()) {
    if (index < done) continue;
    const source = project?.provenance.at(`services.${container.service}.${hook}[${index}]`);
    last = plan.add(
      {kind: 'runHook', container, hook, number: index + 1, run},
      {reason, ...(source && {source})},
      last === undefined ? after : [last],
    );
  }
  return last;
}

function reference({id, name, service}: ObservedContainer): ContainerRef {
  return {kind: 'existing', id, name, service};
}
