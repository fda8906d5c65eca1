import {TscomposeError} from '../base/errors.ts';
import type {Consent, ContainerId, NodeId, Plan, PlanNode} from '../plan/action.ts';
import {imageKeyOf} from '../plan/image-key.ts';
import type {Observed} from '../plan/observed.ts';
import type {Report} from '../report/event.ts';
import {type ApplyContext, applyAction} from './apply.ts';
import {type Condition, collectEvidence, evaluate, type Verdict} from './conditions.ts';
import type {ConvergeContext, Goal} from './converge.ts';
import {type Failure, failureInfo} from './failure.ts';
import {observe} from './observe.ts';
import {type AwaitNode, type ImageNode, isAwait, isImage, type RunResult, runPlan} from './run.ts';
import {isStale, StaleError} from './stale.ts';
import {waitInfo} from './wait.ts';
import {
  isNewNotice,
  rememberApplied,
  rememberCrash,
  rememberObserved,
  rememberResult,
  type WorkMemory,
} from './work-memory.ts';

export interface WaveOptions {
  readonly goal: Goal;
  readonly context: ConvergeContext;
  readonly memory: WorkMemory;
  /** From 1. */
  readonly number: number;
  /** On an engine without locks: take answers that others caused for a reason to look again. */
  readonly retryStale: boolean;
}

/** What comes after a wave. */
export type Next =
  | {readonly next: 'done'}
  /** The world is another than the one the plan was made for. */
  | {readonly next: 'again'}
  /** Everything runs, but has not run for long enough to believe it. */
  | {readonly next: 'settle'; readonly ms: number}
  | {readonly next: 'ask'; readonly consents: readonly Consent[]}
  /** Until one of `any` holds or fails; without those: until all of `all` hold, or one fails. */
  | {
      readonly next: 'wait';
      readonly any: readonly Condition[];
      readonly all: readonly Condition[];
      /** Images that are to come meanwhile; each that has come is news, too. */
      readonly images: readonly ImageNode[];
    };

/** Observes, plans, and does what can be done at once: all of it under the project's lock. */
export async function runWave(options: WaveOptions): Promise<Next> {
  const {goal, context, memory} = options;
  const {engine} = context;
  await using lock = await lockProject(options);
  const observed = await observe(engine, goal.name, {
    project: goal.project,
    compare: goal.lowering !== undefined,
    images: goal.images === true,
    ...(goal.starts === true && {now: context.clock.now()}),
  });
  rememberObserved(memory, observed, goal.keeps(observed));
  const recreateVolumes = [...memory.answers].filter(([, yes]) => yes).map(([name]) => name);
  const plan = goal.plan(observed, {memory, recreateVolumes});
  const open = plan.consents.filter(({name}) => !memory.answers.has(name));
  if (open.length > 0 && context.ask !== undefined) return {next: 'ask', consents: open};
  reportPlan(plan, options);
  const result = await carryOut(options, {plan, observed, locked: lock !== undefined});
  rememberResult(memory, plan, result);
  const outcomes = [...result.values()];
  if (outcomes.some(({kind}) => kind === 'canceled'))
    throw new TscomposeError('canceled', 'interrupted: not everything was done');
  if (outcomes.some(({kind}) => kind === 'stale')) return {next: 'again'};
  const blocked = plan.nodes.filter(isAwait).filter(({id}) => result.get(id)?.kind === 'waiting');
  const any = blocked.filter((node) => isFirst(node, result)).map((node) => awaitedCondition(node, plan, memory));
  const coming = plan.nodes.filter(isImage).filter(({id}) => result.get(id)?.kind === 'waiting');
  const images = coming.filter((node) => isFirst(node, result));
  if (any.length > 0 || images.length > 0) return {next: 'wait', any, all: [], images};
  return memory.failures.size > 0 ? {next: 'done'} : checkFinally(options);
}

/** Most waits for the lock are too short to be told of. */
const tellLockWaitAfterMs = 500;

async function lockProject({goal, context}: WaveOptions): Promise<AsyncDisposable | undefined> {
  const {engine, clock, signal, report} = context;
  const over = new AbortController();
  const onWait = async (): Promise<void> => {
    await clock.sleep(tellLockWaitAfterMs, over.signal);
    if (!over.signal.aborted) report({kind: 'lockWait', project: goal.name});
  };
  try {
    return await engine.lockProject(goal.name, {signal, onWait: () => void onWait()});
  } finally {
    over.abort();
  }
}

function reportPlan(plan: Plan, {number, memory, context: {report}}: WaveOptions): void {
  report({kind: 'planned', wave: number, plan});
  for (const notice of plan.notices) if (isNewNotice(memory, notice.message)) report({kind: 'notice', notice});
  for (const {name} of plan.consents) {
    const message = `volume "${name}" differs from the stack file and is used as it is`;
    if (isNewNotice(memory, message)) report({kind: 'notice', notice: {level: 'warning', message}});
  }
}

interface PlannedWave {
  readonly plan: Plan;
  readonly observed: Observed;
  readonly locked: boolean;
}

function carryOut(
  {goal, context, memory, retryStale}: WaveOptions,
  {plan, observed, locked}: PlannedWave,
): Promise<RunResult> {
  const {engine, report} = context;
  const applyContext: ApplyContext = {
    engine,
    lowering: goal.lowering,
    observed,
    created: new Map<NodeId, ContainerId>(),
    renewAnonymousVolumes: goal.renewAnonymousVolumes ?? false,
    imageKeyOf: (service) => (goal.project === undefined ? undefined : imageKeyOf(goal.project, service)),
    beforeStart: context.beforeStart,
    hookOutput: context.hookOutput,
    signal: context.signal,
    workingDir: goal.project?.workingDir ?? '/',
    clock: context.clock,
  };
  return runPlan(plan, {
    async apply(node) {
      const {action} = node;
      try {
        const applied = await applyAction(action, applyContext, node);
        rememberApplied(memory, action, applied, context.clock.now());
        return applied;
      } catch (error) {
        throw !locked && retryStale && isStale(action, error)
          ? new StaleError('changed by another process', {cause: error})
          : error;
      }
    },
    check: async (node) =>
      endWait(await evaluate(engine, awaitedCondition(node, plan, memory)), node.action, memory, report),
    evidence: (verdict) => collectEvidence(engine, verdict.inspected),
    parallel: context.parallel ?? 16,
    signal: context.signal,
    report: (event) => {
      // An optional dependency is judged again in each wave.
      if (event.kind !== 'notice' || isNewNotice(memory, event.notice.message)) report(event);
    },
    now: () => context.clock.now(),
    known: memory.failures,
    skipped: memory.skipped,
  });
}

/** Of the conditions and images that hold a wave back only those count that wait for nothing else. */
function isFirst(node: PlanNode, result: RunResult): boolean {
  return node.after.every((id) => result.get(id)?.kind === 'done');
}

function awaitedCondition({action}: AwaitNode, plan: Plan, memory: WorkMemory): Condition {
  const going = new Set(
    plan.nodes.flatMap(({action: other}) =>
      other.kind === 'removeContainer' && other.container.kind === 'existing' ? [other.container.id] : [],
    ),
  );
  return {
    service: action.service,
    condition: action.condition,
    containers: [...memory.expected.values()].filter(({service, id}) => service === action.service && !going.has(id)),
    failurePrefix: 'dependency failed to start: ',
  };
}

/** After the work: whether the command may end, must wait, or has failed. */
async function checkFinally({goal, context, memory}: WaveOptions): Promise<Next> {
  const conditions = goal.finally?.([...memory.expected.values()]) ?? [];
  const verdicts = await Promise.all(
    conditions.map(async (condition) =>
      endWait(await evaluate(context.engine, condition), condition, memory, context.report),
    ),
  );
  if (verdicts.some(({state}) => state === 'changed')) return {next: 'again'};
  for (const [index, verdict] of verdicts.entries()) {
    const condition = conditions[index];
    if (condition === undefined || verdict.state !== 'failed') continue;
    const failure: Failure = {
      key: `wait ${condition.service}`,
      error: verdict.error,
      evidence: await collectEvidence(context.engine, verdict.inspected),
    };
    memory.failures.set(failure.key, failure);
    context.report({kind: 'waitEnded', wait: waitInfo(condition), outcome: 'failed', failure: failureInfo(failure)});
  }
  if (memory.failures.size > 0) return {next: 'done'};
  for (const [index, verdict] of verdicts.entries()) {
    const {service = ''} = conditions[index] ?? {};
    if (verdict.state === 'met' && !verdict.settled && verdict.restarts > (memory.restarts.get(service) ?? 0)) {
      rememberCrash(memory, service, verdict.restarts, context.clock.now());
    }
  }
  if (verdicts.every(({state}) => state === 'met')) {
    const ms = memory.settledAt === undefined ? 0 : memory.settledAt - context.clock.now();
    return ms > 0 && verdicts.some((verdict) => verdict.state === 'met' && !verdict.settled)
      ? {next: 'settle', ms}
      : {next: 'done'};
  }
  return {next: 'wait', any: [], all: conditions, images: []};
}

/** Tells that a wait that was told of has ended well. */
function endWait(
  verdict: Verdict,
  of: {readonly service: string; readonly condition: string},
  memory: WorkMemory,
  report: Report,
): Verdict {
  const key = `${of.service} ${of.condition}`;
  const known = memory.waits.get(key);
  if (known === undefined || verdict.state === 'pending') return verdict;
  memory.waits.delete(key);
  if (verdict.state === 'met') report({kind: 'waitEnded', wait: known.wait, outcome: 'met'});
  return verdict;
}
