import {TscomposeError} from '../../base/errors.ts';
import {didYouMean} from '../../base/suggest.ts';
import type {Problems} from '../problems.ts';
import type {Service} from '../types.ts';
import type {DependencyPlace} from './check-context.ts';
import type {ReadStack} from './read.ts';

export interface Selection {
  /** Active profiles; `*` is all of them. */
  readonly profiles: readonly string[];
  /** Services asked for by name; empty: all that are active. */
  readonly services: readonly string[];
  /** Take the services that the asked-for ones depend on, too. */
  readonly dependencies: boolean;
}

export interface SelectContext {
  readonly problems: Problems;
  /** The place where a service names one it depends on. */
  readonly dependencyPlace: (service: string, dependency: string) => DependencyPlace;
}

export interface Selected {
  readonly services: Readonly<Record<string, Service>>;
  readonly disabled: Readonly<Record<string, Service>>;
}

/** Leaves out services whose profiles are not active, then those that nobody asked for. Naming one activates it. */
export function selectServices(stack: ReadStack, selection: Selection, context: SelectContext): Selected {
  const all = stack.services;
  for (const name of selection.services) {
    if (Object.hasOwn(all, name)) continue;
    throw new TscomposeError('notFound', `no such service: "${name}"`, {hint: didYouMean(name, Object.keys(all))});
  }
  const profiles = new Set([...selection.profiles, ...selection.services.flatMap((name) => all[name]?.profiles ?? [])]);
  const active = new Set(Object.keys(all).filter((name) => isActive(all[name] ?? {}, profiles)));
  const wanted = selection.services.length === 0 ? active : withDependencies(selection, all, active);
  reportInactive(wanted, {all, active}, context);
  const taken = (is: boolean): Record<string, Service> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name) === is));
  return {services: taken(true), disabled: taken(false)};
}

function isActive({profiles = []}: Service, active: ReadonlySet<string>): boolean {
  return profiles.length === 0 || active.has('*') || profiles.some((profile) => active.has(profile));
}

function withDependencies(
  selection: Selection,
  all: Readonly<Record<string, Service>>,
  active: ReadonlySet<string>,
): Set<string> {
  const wanted = new Set(selection.services);
  if (!selection.dependencies) return wanted;
  // What is added while it is walked through is walked through, too.
  for (const name of wanted) {
    for (const [dependency, {required}] of Object.entries(all[name]?.depends_on ?? {})) {
      if ((required || active.has(dependency)) && Object.hasOwn(all, dependency)) wanted.add(dependency);
    }
  }
  return wanted;
}

/** A dependency that must be there and is left out by its profile. */
function reportInactive(
  wanted: ReadonlySet<string>,
  {all, active}: {readonly all: Readonly<Record<string, Service>>; readonly active: ReadonlySet<string>},
  {problems, dependencyPlace}: SelectContext,
): void {
  for (const name of wanted) {
    for (const [dependency, {required}] of Object.entries(all[name]?.depends_on ?? {})) {
      const service = all[dependency];
      if (!required || service === undefined || active.has(dependency)) continue;
      const {profiles = []} = service;
      const {at, form} = dependencyPlace(name, dependency);
      problems.error(at, {
        code: 'inactive-dependency',
        message: `services.${name}: it depends on "${dependency}", which belongs to ${inactive(profiles)}`,
        hint: `add --profile ${profiles[0] ?? ''}${optional(dependency, form)}`,
      });
    }
  }
}

function inactive(profiles: readonly string[]): string {
  const names = profiles.map((profile) => `"${profile}"`).join(', ');
  return profiles.length === 1 ? `the inactive profile ${names}` : `the inactive profiles ${names}`;
}

/** How a dependency may be left out, to be written as the others are. */
function optional(dependency: string, form: DependencyPlace['form']): string {
  if (form === undefined) return '';
  return form === 'long'
    ? ', or make it optional with "required: false" below it'
    : `, or make it optional: depends_on: {${dependency}: {condition: service_started, required: false}}`;
}

/** Resources that the services use; `default` is added where it is joined. */
export function usedResources(
  stack: ReadStack,
  services: Readonly<Record<string, Service>>,
  projectName: string,
): Omit<ReadStack, 'services' | 'extensions'> {
  const list = Object.values(services);
  const used = {
    networks: new Set(list.flatMap(({networks = {}}) => Object.keys(networks))),
    volumes: new Set(
      list.flatMap(({volumes = []}) =>
        volumes.flatMap(({type, source}) => (type === 'volume' && source !== undefined ? [source] : [])),
      ),
    ),
    configs: new Set(list.flatMap(({configs = []}) => configs.map(({source}) => source))),
    secrets: new Set(
      list.flatMap(({secrets = [], build}) => [...secrets, ...(build?.secrets ?? [])].map(({source}) => source)),
    ),
    models: new Set(list.flatMap(({models = {}}) => Object.keys(models))),
  };
  const keep = <T>(all: Readonly<Record<string, T>>, names: ReadonlySet<string>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
  return {
    networks: keep(withDefaultNetwork(stack, projectName), used.networks),
    volumes: keep(stack.volumes, used.volumes),
    configs: keep(stack.configs, used.configs),
    secrets: keep(stack.secrets, used.secrets),
    models: keep(stack.models, used.models),
  };
}

export function withDefaultNetwork(stack: ReadStack, projectName: string): ReadStack['networks'] {
  return {default: {name: `${projectName}_default`}, ...stack.networks};
}
