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
  const hint = 'remove them with "--remove-orphans"';
  const kinds = [
    {oneOff: false, what: 'of this project that no service in the stack file has'},
    {oneOff: true, what: 'left over from "run"'},
  ];
  for (const {oneOff, what} of kinds) {
    const names = orphans.filter((orphan) => orphan.oneOff === oneOff).map(({name}) => name);
    if (names.length === 0) continue;
    const containers = names.length === 1 ? 'container' : 'containers';
    plan.note({level: 'warning', message: `${containers} ${what}: ${names.sort().join(', ')}`, hint});
  }
}
