import type {Action, Cause, FieldChange, Plan, PlanNode} from '../../src/plan/action.ts';

/**
 * A plan as text, one line a node: `[1,2] -> #3 createContainer db-1, no existing container`. In brackets the nodes that
 * must be done before. This is the language of the planner's tests.
 */
export function formatPlan(plan: Plan): string {
  const consents = plan.consents.map(
    (consent) => `ask ${consent.kind} ${shortName(plan.project, consent.name)}, ${formatCause(consent.why)}`,
  );
  const notices = plan.notices.map((notice) => `${notice.level}: ${notice.message}`);
  return [...plan.nodes.map((node) => formatNode(plan.project, node)), ...consents, ...notices].join('\n');
}

function formatNode(project: string, node: PlanNode): string {
  return `[${node.after.join(',')}] -> #${node.id} ${node.action.kind} ${actionTarget(project, node.action)}, ${formatCause(node.why)}`;
}

/** What the action is about, names shortened by the project's prefix. */
function actionTarget(project: string, action: Action): string {
  switch (action.kind) {
    case 'createNetwork':
      return action.network;
    case 'createVolume':
      return action.volume;
    case 'removeNetwork':
    case 'removeVolume':
    case 'removeImage':
      return shortName(project, action.name);
    case 'pullImage':
      return `${action.image}${action.platform === undefined ? '' : ` for ${action.platform}`}`;
    case 'buildImage':
      return action.image;
    case 'createContainer':
      return `${action.service}-${action.replica}${action.replaces === undefined ? '' : ` as ${shortName(project, action.name)}`}`;
    case 'renameContainer':
      return `${shortName(project, action.container.name)} to ${shortName(project, action.name)}`;
    case 'awaitCondition':
      return `${action.service} ${action.condition}${action.required ? '' : ' (optional)'}`;
    case 'removeContainer':
      return `${shortName(project, action.container.name)}${action.removeAnonymousVolumes ? ' with anonymous volumes' : ''}`;
    case 'runHook':
      return `${shortName(project, action.container.name)} ${action.hook} ${action.number}`;
    case 'killContainer':
      return `${shortName(project, action.container.name)}${action.signal === undefined ? '' : ` ${action.signal}`}`;
    case 'startContainer':
    case 'stopContainer':
    case 'restartContainer':
    case 'pauseContainer':
    case 'unpauseContainer':
      return shortName(project, action.container.name);
  }
}

function formatCause(cause: Cause): string {
  if (cause.changes === undefined || cause.changes.length === 0) return cause.reason;
  return `${cause.reason}: ${cause.changes.map(formatChange).join('; ')}`;
}

function formatChange(change: FieldChange): string {
  if (change.before === undefined) return `${change.field} + ${change.after ?? ''}`;
  if (change.after === undefined) return `${change.field} - ${change.before}`;
  return `${change.field} ${change.before} => ${change.after}`;
}

function shortName(project: string, name: string): string {
  for (const separator of ['-', '_']) {
    const prefix = project + separator;
    if (name.startsWith(prefix)) return name.slice(prefix.length);
    const temporary = temporaryPrefix.exec(name)?.[0];
    if (temporary !== undefined && name.startsWith(temporary + prefix))
      return temporary + name.slice(temporary.length + prefix.length);
  }
  return name;
}

/** What a container's name starts with while it stands in for the one it replaces. */
const temporaryPrefix = /^[0-9a-f]{12}_/;
