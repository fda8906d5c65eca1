import type {Project, Service} from './types.ts';

/** What a command line says of all builds of a stack, whatever the file says of each. */
export interface BuildChoices {
  readonly noCache?: boolean;
  readonly pull?: boolean;
  /** Beside those of the file, and before them. */
  readonly arguments?: Readonly<Record<string, string>>;
  /** Sockets of agents by id. */
  readonly ssh?: Readonly<Record<string, string>>;
}

/** The project with what was said of its builds. */
export function withBuildChoices(project: Project, choices: BuildChoices): Project {
  const changed = (services: Readonly<Record<string, Service>>) =>
    Object.fromEntries(Object.entries(services).map(([name, service]) => [name, withChoices(service, choices)]));
  return {...project, services: changed(project.services), disabledServices: changed(project.disabledServices)};
}

function withChoices(service: Service, {noCache, pull, arguments: given, ssh}: BuildChoices): Service {
  const {build} = service;
  if (build === undefined) return service;
  return {
    ...service,
    build: {
      ...build,
      ...(noCache === true && {no_cache: true}),
      ...(pull === true && {pull: true}),
      ...(isGiven(given) && {args: {...build.args, ...given}}),
      ...(isGiven(ssh) && {ssh: {...build.ssh, ...ssh}}),
    },
  };
}

function isGiven(values: Readonly<Record<string, string>> | undefined): boolean {
  return values !== undefined && Object.keys(values).length > 0;
}
