import {imageOf, mountedImages} from '../model/image.ts';
import type {Service} from '../model/types.ts';
import type {Cause, NodeId} from './action.ts';
import {type PlanBuilder, placeOf} from './builder.ts';
import type {UpInput} from './input.ts';
import {type PullPolicy, parsePullPolicy} from './pull-policy.ts';

interface Wanted {
  readonly why: Cause;
  readonly platform?: string;
  readonly services: string[];
  /** One of them can be built, and the image is here. */
  optional: boolean;
}

/**
 * Plans a pull for each image that its services want pulled; answers by service what is to be done before anything is
 * made of it. What must not be pulled has to be there.
 */
export function planPulls(
  plan: PlanBuilder,
  input: UpInput,
  /** Services that get new containers. */
  renewed: ReadonlySet<string>,
): ReadonlyMap<string, readonly NodeId[]> {
  const wanted = new Map<string, Wanted>();
  const missing = new Map<string, string[]>();
  const isHere = (image: string) => Object.hasOwn(input.observed.images, image);
  const want = (image: string, name: string, more: Omit<Wanted, 'services'>) => {
    const known = wanted.get(image);
    if (known === undefined) wanted.set(image, {...more, services: [name]});
    else {
      if (!known.services.includes(name)) known.services.push(name);
      known.optional ||= more.optional;
    }
  };
  for (const [name, service] of Object.entries(input.project.services).sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const source of renewed.has(name) ? mountedImages(service) : []) {
      if (!isHere(source) && !input.memory.pulled.has(source))
        want(source, name, {why: {reason: 'mounted, not on this machine'}, optional: false});
    }
    const image = imageOf(input.project, name);
    const policy = policyOf(plan, input, name, service);
    if (image === undefined || policy === undefined) continue;
    const why = whyPull(input, {image, policy, isRenewed: renewed.has(name)});
    const isMissing = renewed.has(name) && !isHere(image);
    if (isMissing && mustBuild(service, policy) && input.options.noBuild !== true) {
      // Whoever carries the plan out builds before.
      plan.note({level: 'note', message: `image "${image}" of service "${name}" is built first`});
    } else if (why !== undefined) {
      const platform = service.platform === undefined ? {} : {platform: service.platform};
      const optional = service.build !== undefined && isHere(image);
      want(image, name, {why: {...why, ...place(input, name)}, ...platform, optional});
    } else if (isMissing) {
      missing.set(image, [...(missing.get(image) ?? []), name]);
    }
  }
  for (const [image, services] of missing) missingProblem(plan, input, image, services);
  const nodes = new Map<string, readonly NodeId[]>();
  for (const [image, {why, platform, services, optional}] of wanted) {
    const choices = {...(platform === undefined ? {} : {platform}), ...(optional ? ({optional} as const) : {})};
    const node = plan.add({kind: 'pullImage', image, services, ...choices}, why);
    for (const service of services) nodes.set(service, [...(nodes.get(service) ?? []), node]);
  }
  return nodes;
}

function policyOf(
  plan: PlanBuilder,
  {project, options}: UpInput,
  name: string,
  service: Service,
): PullPolicy | undefined {
  // A service that is built and says nothing is not pulled, unless nobody builds it: its image may be nowhere else.
  const isBuilt = service.build !== undefined && options.noBuild !== true;
  const own = service.pull_policy ?? (isBuilt ? 'build' : 'missing');
  const isTimed = own === 'refresh' && service.pull_refresh_after !== undefined;
  const stated = options.pull ?? (isTimed ? `every_${service.pull_refresh_after}` : own);
  const policy = parsePullPolicy(stated);
  // An image that is called after its service is on no registry, whatever is said of all services.
  if (policy !== undefined) return service.image === undefined ? {kind: 'build'} : policy;
  plan.problem({
    kind: 'invalid',
    ...placeOf(project, `services.${name}.pull_policy`),
    message: `service "${name}": pull_policy "${stated}" is none`,
    hint: 'use always, missing, never, build, daily, weekly or every_N with a unit (every_12h)',
  });
  return undefined;
}

function whyPull(
  {observed, memory}: UpInput,
  {image, policy, isRenewed}: {readonly image: string; readonly policy: PullPolicy; readonly isRenewed: boolean},
): Cause | undefined {
  if (memory.pulled.has(image) || policy.kind === 'never' || policy.kind === 'build') return undefined;
  const known = Object.hasOwn(observed.images, image) ? observed.images[image] : undefined;
  if (known === undefined) return isRenewed || policy.kind !== 'missing' ? {reason: 'not on this machine'} : undefined;
  if (policy.kind === 'always') return {reason: 'pull_policy is always'};
  if (policy.kind === 'every' && (known.nameAgeMs ?? 0) > policy.ms) return {reason: 'pulled too long ago'};
  return undefined;
}

function mustBuild(service: Service, policy: PullPolicy): boolean {
  return policy.kind === 'build' || (service.build !== undefined && service.image === undefined);
}

function place({project}: UpInput, name: string): Pick<Cause, 'source'> {
  const source = project.provenance.at(`services.${name}.image`);
  return source === undefined ? {} : {source};
}

function missingProblem(plan: PlanBuilder, {project}: UpInput, image: string, services: readonly string[]): void {
  const isBuilt = services.some((name) => project.services[name]?.build !== undefined);
  const names = services.map((name) => `"${name}"`).join(', ');
  plan.problem({
    kind: 'notFound',
    ...placeOf(project, `services.${services[0]}.image`),
    message: `${services.length === 1 ? 'service' : 'services'} ${names}: image "${image}" is not on this machine, and is never pulled`,
    hint: isBuilt
      ? `build it with "tscompose build ${services[0]}", or leave out --no-build`
      : 'load it with "tscompose load", or allow to pull it (pull_policy, --pull)',
  });
}
