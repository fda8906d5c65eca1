import {createLimiter} from '../base/concurrency.ts';
import {exitCodes, hasKind, TscomposeError, toTscomposeError} from '../base/errors.ts';
import type {Action, NodeId, Plan, PlanNode} from '../plan/action.ts';
import type {ContainerInfo, Evidence, Report} from '../report/event.ts';
import type {Applied, CallKind} from './apply.ts';
import {HookFailure} from './apply-hook.ts';
import type {Verdict} from './conditions.ts';
import {type Failure, failureInfo, nodeKey} from './failure.ts';
import {StaleError} from './stale.ts';

export type CallNode = PlanNode & {readonly action: Action<CallKind>};
export type AwaitNode = PlanNode & {readonly action: Action<'awaitCondition'>};
export type PullNode = PlanNode & {readonly action: Action<'pullImage'>};
export type BuildNode = PlanNode & {readonly action: Action<'buildImage'>};
/** An image comes: while no lock is held, and while everything else goes on. */
export type ImageNode = PullNode | BuildNode;

export interface RunOptions {
  /** The one engine call of a node. */
  readonly apply: (node: CallNode) => Promise<Applied>;
  /** Looks at a condition once. */
  readonly check: (node: AwaitNode) => Promise<Verdict>;
  readonly evidence: (verdict: Verdict & {readonly state: 'failed'}) => Promise<Evidence>;
  readonly parallel: number;
  readonly signal: AbortSignal;
  readonly report: Report;
  readonly now: () => number;
  /** By key: what failed in an earlier wave. It is not tried again, and not reported again. */
  readonly known: ReadonlyMap<string, Failure>;
  /** By key: what was skipped in an earlier wave. It is not reported again. */
  readonly skipped: ReadonlySet<string>;
}

export type NodeOutcome =
  | {readonly kind: 'done'}
  | {readonly kind: 'failed'; readonly failure: Failure}
  /** Something it needs failed; the names on the way there. */
  | {readonly kind: 'skipped'; readonly chain: readonly string[]}
  /** It waits for a condition, or for something that does. */
  | {readonly kind: 'waiting'}
  /** The world is not as it was planned for: another process was at work. */
  | {readonly kind: 'stale'}
  /** Not begun: the command was canceled. */
  | {readonly kind: 'canceled'};

export type RunResult = ReadonlyMap<NodeId, NodeOutcome>;

/**
 * Carries a plan out: every node as soon as all nodes before it are done, `parallel` at a time. A failure keeps back only
 * what needs it. A condition that does not hold yet keeps back its successors and ends nothing: that is the next wave's.
 */
export async function runPlan(plan: Plan, options: RunOptions): Promise<RunResult> {
  const limit = createLimiter(options.parallel);
  const outcomes = new Map<NodeId, NodeOutcome>();
  const running = new Map<NodeId, Promise<NodeOutcome>>();
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  // Nodes only name earlier ones: in the order of the plan every predecessor has its promise already.
  for (const node of plan.nodes) {
    const before = node.after.map((id) => running.get(id) ?? missing(node, id));
    running.set(
      node.id,
      Promise.all(before).then(async (predecessors) => {
        const held = heldBack(node, predecessors, nodes);
        const outcome = held ?? (await limit(() => runNode(node, options)));
        if (held?.kind === 'skipped') reportSkip(node, held.chain, options);
        outcomes.set(node.id, outcome);
        return outcome;
      }),
    );
  }
  await Promise.all(running.values());
  return outcomes;
}

function missing(node: PlanNode, predecessor: NodeId): never {
  throw new TscomposeError('internal', `node ${node.id} comes before node ${predecessor}, which it needs`);
}

/** The outcome of a node whose predecessors are not all done; a failure counts more than a wait. */
function heldBack(
  node: PlanNode,
  predecessors: readonly NodeOutcome[],
  nodes: ReadonlyMap<NodeId, PlanNode>,
): NodeOutcome | undefined {
  for (const kind of ['canceled', 'failed', 'skipped', 'stale', 'waiting'] as const) {
    const index = predecessors.findIndex((outcome) => outcome.kind === kind);
    const outcome = predecessors[index];
    if (outcome === undefined) continue;
    const predecessor = nodes.get(node.after[index] ?? (0 as NodeId));
    const name = predecessor === undefined ? 'an earlier step' : describe(predecessor.action);
    if (outcome.kind === 'failed') return {kind: 'skipped', chain: [name]};
    if (outcome.kind === 'skipped')
      return {kind: 'skipped', chain: name === outcome.chain[0] ? outcome.chain : [name, ...outcome.chain]};
    return outcome;
  }
  return undefined;
}

async function runNode(node: PlanNode, options: RunOptions): Promise<NodeOutcome> {
  if (options.signal.aborted) return {kind: 'canceled'};
  const known = options.known.get(nodeKey(node));
  if (known !== undefined) return {kind: 'failed', failure: known};
  // It comes when the lock is free.
  if (isImage(node)) return {kind: 'waiting'};
  return isAwait(node) ? runAwait(node, options) : runCall(node as CallNode, options);
}

async function runCall(node: CallNode, options: RunOptions): Promise<NodeOutcome> {
  const {report, now} = options;
  const begin = now();
  report({kind: 'nodeStarted', node});
  try {
    const applied = await options.apply(node);
    for (const message of [applied.kept, ...(applied.warning?.split('\n') ?? [])]) {
      if (message !== undefined) report({kind: 'notice', notice: {level: 'warning', message}});
    }
    const container = containerInfo(node, applied);
    report({
      kind: 'nodeDone',
      node,
      tookMs: now() - begin,
      ...(container === undefined ? {} : {container}),
      ...(applied.kept === undefined ? {} : {kept: true}),
    });
    return {kind: 'done'};
  } catch (error) {
    if (error instanceof StaleError) return {kind: 'stale'};
    const wrapped = toTscomposeError(error);
    if (hasKind(wrapped, 'canceled') && options.signal.aborted) return {kind: 'canceled'};
    const evidence = wrapped instanceof HookFailure ? {evidence: wrapped.evidence} : {};
    return fail(node, {key: nodeKey(node), error: nameContainer(node, wrapped), ...evidence}, options);
  }
}

async function runAwait(node: AwaitNode, options: RunOptions): Promise<NodeOutcome> {
  let verdict: Verdict;
  try {
    verdict = await options.check(node);
  } catch (error) {
    return fail(node, {key: nodeKey(node), error: toTscomposeError(error)}, options);
  }
  if (verdict.state === 'met') return {kind: 'done'};
  if (verdict.state === 'pending') return {kind: 'waiting'};
  if (verdict.state === 'changed') return {kind: 'stale'};
  if (!node.action.required) {
    const message = `optional dependency "${node.action.service}": ${verdict.error.message}`;
    options.report({kind: 'notice', notice: {level: 'warning', message}});
    return {kind: 'done'};
  }
  return fail(node, {key: nodeKey(node), error: verdict.error, evidence: await options.evidence(verdict)}, options);
}

function fail(node: PlanNode, failure: Failure, {report}: RunOptions): NodeOutcome {
  report({kind: 'nodeFailed', node, failure: failureInfo(failure)});
  return {kind: 'failed', failure};
}

function reportSkip(node: PlanNode, chain: readonly string[], {report, skipped}: RunOptions): void {
  if (skipped.has(nodeKey(node))) return;
  const [first = '', ...others] = chain;
  const reason = [`needs ${first}`, ...others.map((name) => `which needs ${name}`), 'which failed'].join(', ');
  report({kind: 'nodeSkipped', node, reason});
}

export function isAwait(node: PlanNode): node is AwaitNode {
  return node.action.kind === 'awaitCondition';
}

export function isImage(node: PlanNode): node is ImageNode {
  return node.action.kind === 'pullImage' || node.action.kind === 'buildImage';
}

/** The thing that an action makes or changes, as a person calls it. */
function describe(action: Action): string {
  switch (action.kind) {
    case 'createNetwork':
    case 'removeNetwork':
      return `network "${action.name}"`;
    case 'createVolume':
    case 'removeVolume':
      return `volume "${action.name}"`;
    case 'pullImage':
    case 'buildImage':
      return `image "${action.image}"`;
    case 'removeImage':
      return `image "${action.name}"`;
    case 'createContainer':
      return `container "${action.name}"`;
    case 'awaitCondition':
      return `service "${action.service}"`;
    default:
      return `container "${action.container.name}"`;
  }
}

function containerInfo({action}: CallNode, {container}: Applied): ContainerInfo | undefined {
  if (container === undefined) return undefined;
  if (action.kind === 'createContainer') return {id: container, name: action.name, service: action.service};
  if (!('container' in action)) return undefined;
  const name = action.kind === 'renameContainer' ? action.name : action.container.name;
  return {id: container, name, service: action.container.service};
}

const verbs: Readonly<Partial<Record<CallKind, string>>> = {
  createContainer: 'create',
  startContainer: 'start',
  stopContainer: 'stop',
  restartContainer: 'restart',
  killContainer: 'kill',
  pauseContainer: 'pause',
  unpauseContainer: 'unpause',
  removeContainer: 'remove',
  renameContainer: 'rename',
};

/** The engine speaks of ids or of nothing in particular: the message gets the name that the person knows. */
function nameContainer(node: CallNode, error: TscomposeError): TscomposeError {
  const {action} = node;
  const verb = verbs[action.kind];
  if (verb === undefined) return error;
  const name = action.kind === 'createContainer' ? action.name : 'container' in action ? action.container.name : '';
  if (error.message.includes(`"${name}"`)) return error;
  return new TscomposeError(error.kind, `cannot ${verb} container "${name}": ${error.message}`, {
    hint: error.hint ?? (action.kind === 'startContainer' && isOfService(error) ? startHint : undefined),
    cause: error,
    exitCode: processCodes.includes(error.exitCode) ? exitCodes.failure : error.exitCode,
  });
}

/** What the stack file says is wrong, not the engine or the machine. */
function isOfService({kind}: TscomposeError): boolean {
  return kind === 'invalid' || kind === 'notFound';
}

const startHint = 'check "command", "entrypoint", "user" and "working_dir" of the service';

/** How a process failed to start is the exit code of a command that was to run it (`exec`), not of one for a stack, as in Compose. */
const processCodes: readonly number[] = [exitCodes.runtime, exitCodes.notExecutable, exitCodes.commandNotFound];
