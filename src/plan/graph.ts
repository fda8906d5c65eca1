import {composeLabels} from '../api/labels.ts';
import type {Dependency, Project} from '../model/types.ts';
import type {ObservedContainer} from './observed.ts';

/** For each service: the services it depends on, and how. */
export type Dependencies = Readonly<Record<string, Readonly<Record<string, Dependency>>>>;

/**
 * The dependencies of all services of the stack file (those left out by profile or selection too) and of services that
 * only containers know: from what their labels say.
 */
export function knownDependencies(
  project: Project | undefined,
  containers: readonly ObservedContainer[],
): Dependencies {
  const known: Record<string, Readonly<Record<string, Dependency>>> = {};
  for (const container of containers)
    known[container.service] = parseDependsOn(container.labels[composeLabels.dependsOn]);
  for (const [name, service] of Object.entries({...project?.disabledServices, ...project?.services})) {
    known[name] = service.depends_on ?? {};
  }
  return known;
}

/** `db:service_healthy:false,cache:service_started:true`: service, condition, restart. */
function parseDependsOn(label: string | undefined): Readonly<Record<string, Dependency>> {
  const dependencies: Record<string, Dependency> = {};
  for (const entry of (label ?? '').split(',')) {
    const [service = '', condition = '', restart] = entry.split(':');
    if (service === '') continue;
    dependencies[service] = {
      condition:
        condition === 'service_healthy' || condition === 'service_completed_successfully'
          ? condition
          : 'service_started',
      restart: restart === 'true',
      required: true,
    };
  }
  return dependencies;
}
