import {sharedParts} from '../../model/attributes/links.ts';
import type {Project, Service} from '../../model/types.ts';

export interface RebuildSelection {
  /** Those whose images were built. */
  readonly services: ReadonlySet<string>;
  /** Whether a service has containers that run. */
  readonly runs: (service: string) => boolean;
}

/**
 * The stack as far as it takes part when containers of some services are replaced: those, what shares its namespaces or volumes
 * with them, and what runs and wants to follow. The others are let be, also those that a person has stopped.
 */
export function rebuildProject(project: Project, {services, runs}: RebuildSelection): Project {
  const taken = new Set(services);
  // What is added while it is gone through is gone through, too.
  for (const name of taken) {
    for (const {service} of sharedParts(project.services[name] ?? {})) taken.add(service);
    for (const [other, definition] of Object.entries(project.services))
      if (runs(other) && follows(definition, name)) taken.add(other);
  }
  const parts = (isTaken: boolean): Record<string, Service> =>
    Object.fromEntries(Object.entries(project.services).filter(([name]) => taken.has(name) === isTaken));
  return {...project, services: parts(true), disabledServices: {...project.disabledServices, ...parts(false)}};
}

function follows(service: Service, other: string): boolean {
  return service.depends_on?.[other]?.restart === true || sharedParts(service).some((part) => part.service === other);
}
