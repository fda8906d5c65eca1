import {serviceBuilds} from '../model/lower-build.ts';
import type {Project} from '../model/types.ts';
import type {NodeId, Plan} from './action.ts';
import {createPlanBuilder} from './builder.ts';

/** Builds every image that the services of the project can be built from, and those that they are built upon first. */
export function planImageBuilds(project: Project): Plan {
  const plan = createPlanBuilder(project.name, project.workingDir);
  const nodes = new Map<string, NodeId>();
  for (const {image, services, after} of serviceBuilds(project)) {
    const own = services.filter((name) => Object.hasOwn(project.services, name));
    const source = project.provenance.at(`services.${services[0]}.build`);
    const reason = own.length > 0 ? `image of ${own.join(', ')}` : 'others are built upon it';
    const why = {reason, ...(source && {source})};
    const needed = after.map((below) => nodes.get(below));
    nodes.set(image, plan.add({kind: 'buildImage', image, services: own}, why, needed));
  }
  return plan.build();
}
