import type {NodeId, Plan, PlanNode} from '../plan/action.ts';

/** Services in the order in which the plan starts or stops them, those of one step together; by name within a step. */
export function planOrder(plan: Plan): readonly (readonly string[])[] {
  const steps = new Map<NodeId, number>();
  const serviceSteps = new Map<string, number>();
  for (const node of plan.nodes) {
    const before = Math.max(0, ...node.after.map((id) => steps.get(id) ?? 0));
    const service = orderedService(node, plan);
    const step = service === undefined ? before : before + 1;
    steps.set(node.id, step);
    if (service !== undefined) serviceSteps.set(service, Math.max(step, serviceSteps.get(service) ?? 0));
  }
  const order: string[][] = [];
  for (const [service, step] of [...serviceSteps].sort(([a], [b]) => (a < b ? -1 : 1))) {
    order[step] ??= [];
    order[step].push(service);
  }
  return order.filter((services) => services !== undefined);
}

/** Where a plan starts something, starts are its order; else stops are. */
function orderedService({action}: PlanNode, plan: Plan): string | undefined {
  if (action.kind === 'startContainer' || action.kind === 'restartContainer') return action.container.service;
  const starts = plan.nodes.some(
    (node) => node.action.kind === 'startContainer' || node.action.kind === 'restartContainer',
  );
  return action.kind === 'stopContainer' && !starts ? action.container.service : undefined;
}
