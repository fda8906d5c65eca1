import type {Project} from '../model/types.ts';
import type {PlanBuilder} from './builder.ts';
import {isUp, type ObservedContainer} from './observed.ts';

/** Containers of the project that no service of the stack file accounts for, and what `run` left behind. */
export function findOrphans(project: Project, containers: readonly ObservedContainer[]): readonly ObservedContainer[] {
  return containers.filter((container) =>
    container.oneOff
      ? !isUp(container) && container.status !== 'created'
      : !Object.hasOwn(project.services, container.service) &&
        !Object.hasOwn(project.disabledServices, container.service),
  );
}

/** Tells about orphans that stay. */
export function noteOrphans(plan: PlanBuilder, orphans: readonly ObservedContainer[]): void {
  if (orphans.length === 0) return;
  const names = orphans.map(({name}) => name).sort();
  plan.note({
    level: 'warning',
    message: `${names.length === 1 ? 'container' : 'containers'} of this project that no service in the stack file has: ${names.join(', ')}`,
    hint: 'remove them with "--remove-orphans"',
  });
}
