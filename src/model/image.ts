import type {Project, Service} from './types.ts';

/** The image of a service's containers; one that is built and has no name of its own is called after the service. */
export function imageOf(project: Pick<Project, 'name' | 'services'>, serviceName: string): string | undefined {
  const service = project.services[serviceName];
  return service?.image ?? (service?.build === undefined ? undefined : `${project.name}-${serviceName}`);
}

/** Images whose files a service mounts. */
export function mountedImages({volumes = []}: Pick<Service, 'volumes'>): readonly string[] {
  return volumes.flatMap(({type, source}) => (type === 'image' && source !== undefined ? [source] : []));
}
