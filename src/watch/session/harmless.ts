import type {Plan, PlanNode} from '../../plan/action.ts';

/**
 * Why a plan must not be carried out unasked, a line each; none: it only creates, replaces and starts. What takes
 * containers, networks or volumes away, or could lose data, is for a person to decide.
 */
export function objections(plan: Plan): readonly string[] {
  const replaced = new Set(
    plan.nodes.flatMap(({action}) =>
      action.kind === 'createContainer' && action.replaces !== undefined ? [action.replaces as string] : [],
    ),
  );
  const renamed = new Set(plan.nodes.flatMap(({action}) => (action.kind === 'renameContainer' ? [action.name] : [])));
  const lines = plan.nodes.flatMap((node) => objection(node, {replaced, renamed}));
  return [...plan.consents.map(({question}) => question), ...lines];
}

interface Replacements {
  /** Ids of containers that have a successor. */
  readonly replaced: ReadonlySet<string>;
  /** Names that successors get. */
  readonly renamed: ReadonlySet<string>;
}

function objection({action, why}: PlanNode, {replaced, renamed}: Replacements): readonly string[] {
  switch (action.kind) {
    case 'removeNetwork':
      return [`removes network ${action.name}: ${why.reason}`];
    case 'removeVolume':
      return [`removes volume ${action.name} with its data: ${why.reason}`];
    case 'removeContainer': {
      const {container} = action;
      const hasSuccessor = (container.kind === 'existing' && replaced.has(container.id)) || renamed.has(container.name);
      return hasSuccessor ? [] : [`removes container ${container.name}: ${why.reason}`];
    }
    default:
      return [];
  }
}

/** What a plan does to containers and what they need, a line each. */
export function planSummary(plan: Plan): readonly string[] {
  return plan.nodes.flatMap(({action, why}) => {
    const fields = (why.changes ?? []).map(({field}) => field);
    const reason = fields.length === 0 ? why.reason : `${why.reason} (${fields.join(', ')})`;
    switch (action.kind) {
      case 'createContainer':
        return [
          `${action.replaces === undefined ? 'creates' : 'recreates'} container ${action.name.replace(/^[0-9a-f]{12}_/, '')}: ${reason}`,
        ];
      case 'createNetwork':
        return [`creates network ${action.name}: ${reason}`];
      case 'createVolume':
        return [`creates volume ${action.name}: ${reason}`];
      default:
        return [];
    }
  });
}
