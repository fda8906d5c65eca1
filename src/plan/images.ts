import {imageOf, mountedImages} from '../model/image.ts';
import {serviceBuilds} from '../model/lower-build.ts';
import type {Service} from '../model/types.ts';
import type {Action, Cause, NodeId} from './action.ts';
import {type PlanBuilder, placeOf} from './builder.ts';
import {type BuildWishes, isAlwaysBuilt, planBuilds} from './builds.ts';
import {imageKey, inOrder, isNameTaken} from './image-key.ts';
import type {UpInput} from './input.ts';
import {type PullPolicy, parsePullPolicy, statedPolicy} from './pull-policy.ts';

interface Pull {
  readonly image: string;
  readonly platform?: string;
  readonly why: Cause;
  readonly services: string[];
}

/** What the services want of their images. */
interface Wishes {
  /** By image and platform ({@link imageKey}). */
  readonly pulls: Map<string, Pull>;
  /** Not here, and not pulled: by image the services that get containers of it. */
  readonly missing: Map<string, string[]>;
}

/**
 * Plans how images come: those that services want pulled are, those that can be built are built where they are missing or
 * shall be. Answers by service what is to be done before anything is made of it. As in Compose an image that can be built
 * and has a name is asked for at its registry first; where that has none, it is built.
 */
export function planImages(
  plan: PlanBuilder,
  input: UpInput,
  /** Services that get new containers. */
  renewed: ReadonlySet<string>,
): ReadonlyMap<string, readonly NodeId[]> {
  const stated = serviceBuilds(input.project);
  const builds = input.options.noBuild === true ? [] : stated;
  const wishes: Wishes = {pulls: new Map(), missing: new Map()};
  const fixed = new Set(builds.filter((build) => isAlwaysBuilt(input, build)).map(({image}) => image));
  for (const [name, service] of Object.entries(input.project.services).sort(([a], [b]) => (a < b ? -1 : 1)))
    wishOf(plan, input, wishes, {name, service, isRenewed: renewed.has(name), fixed});
  const canBuild = new Set(builds.map(({image}) => image));
  for (const [image, services] of wishes.missing)
    if (!canBuild.has(image)) missingProblem(plan, input, image, services);
  const nodes = new Map<string, readonly NodeId[]>();
  const need = (service: string, node: NodeId) => nodes.set(service, [...(nodes.get(service) ?? []), node]);
  for (const {image, platform, why, services} of inOrder([...wishes.pulls.values()])) {
    const isOurs = stated.some((build) => build.image === image);
    const instead = isOurs ? insteadOf(input, imageKey(image, platform)) : {};
    const node = plan.add({kind: 'pullImage', image, services, ...(platform && {platform}), ...instead}, why);
    for (const service of services) need(service, node);
  }
  const wanted: BuildWishes = {builds, missing: new Set(wishes.missing.keys())};
  const built = planBuilds(plan, input, wanted);
  for (const name of Object.keys(input.project.services))
    for (const image of imagesUsed(input, name)) {
      const node = built.get(image);
      if (node !== undefined) need(name, node);
    }
  return nodes;
}

function wishOf(
  plan: PlanBuilder,
  input: UpInput,
  {pulls, missing}: Wishes,
  {
    name,
    service,
    isRenewed,
    fixed,
  }: {
    readonly name: string;
    readonly service: Service;
    readonly isRenewed: boolean;
    /** Images that are built, whatever is there: they are not pulled. */
    readonly fixed: ReadonlySet<string>;
  },
): void {
  const {
    observed,
    memory,
    options: {unpulled},
  } = input;
  const isHere = (key: string) => Object.hasOwn(observed.images, key) && !isNameTaken(memory.pulled, key);
  const pull = (wish: Omit<Pull, 'services'>) => {
    const key = imageKey(wish.image, wish.platform);
    const known = pulls.get(key);
    if (known === undefined) pulls.set(key, {...wish, services: [name]});
    else if (!known.services.includes(name)) known.services.push(name);
  };
  const miss = (image: string) => missing.set(image, [...new Set([...(missing.get(image) ?? []), name])]);
  for (const source of isRenewed ? mountedImages(service) : []) {
    if (isHere(source) || memory.pulled.has(source) || fixed.has(source)) continue;
    if (memory.unpullable.has(source) || unpulled?.has(source)) miss(source);
    else pull({image: source, why: {reason: 'mounted, not on this machine'}});
  }
  const image = imageOf(input.project, name);
  const policy = policyOf(plan, input, name, service);
  if (image === undefined || policy === undefined || fixed.has(image)) return;
  const {platform} = service;
  const key = imageKey(image, platform);
  const why = unpulled?.has(image) ? undefined : whyPull(input, {image, key, policy, isRenewed});
  if (why !== undefined) {
    pull({image, ...(platform === undefined ? {} : {platform}), why: {...why, ...place(input, name)}});
  } else if (isRenewed && !isHere(key)) {
    miss(image);
  }
}

/** What becomes of a pull that fails where the image can be built. */
function insteadOf({observed, options}: UpInput, key: string): Pick<Action<'pullImage'>, 'optional' | 'orBuild'> {
  if (Object.hasOwn(observed.images, key)) return {optional: true};
  return options.noBuild === true ? {} : {orBuild: true};
}

function imagesUsed({project}: UpInput, name: string): readonly string[] {
  const image = imageOf(project, name);
  const service = project.services[name];
  return [...(image === undefined ? [] : [image]), ...(service === undefined ? [] : mountedImages(service))];
}

function policyOf(
  plan: PlanBuilder,
  {project, options}: UpInput,
  name: string,
  service: Service,
): PullPolicy | undefined {
  const stated = statedPolicy(service, options);
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
  {
    image,
    key,
    policy,
    isRenewed,
  }: {readonly image: string; readonly key: string; readonly policy: PullPolicy; readonly isRenewed: boolean},
): Cause | undefined {
  if (memory.pulled.has(key) || memory.unpullable.has(image)) return undefined;
  if (policy.kind === 'never' || policy.kind === 'build') return undefined;
  if (isNameTaken(memory.pulled, key)) return {reason: 'its name was pulled for another platform'};
  const known = Object.hasOwn(observed.images, key) ? observed.images[key] : undefined;
  if (known === undefined) return isRenewed || policy.kind !== 'missing' ? {reason: 'not on this machine'} : undefined;
  if (policy.kind === 'always') return {reason: 'pull_policy is always'};
  if (policy.kind === 'every' && (known.nameAgeMs ?? 0) > policy.ms) return {reason: 'pulled too long ago'};
  return undefined;
}

function place({project}: UpInput, name: string): Pick<Cause, 'source'> {
  const source = project.provenance.at(`services.${name}.image`);
  return source === undefined ? {} : {source};
}

function missingProblem(
  plan: PlanBuilder,
  {project, options}: UpInput,
  image: string,
  services: readonly string[],
): void {
  const isBuilt = services.some((name) => project.services[name]?.build !== undefined);
  const names = services.map((name) => `"${name}"`).join(', ');
  plan.problem({
    kind: 'notFound',
    ...placeOf(project, `services.${services[0]}.image`),
    message: `${services.length === 1 ? 'service' : 'services'} ${names}: image "${image}" is not on this machine, and is never pulled`,
    hint: isBuilt
      ? `build it with "tscompose build ${services[0]}", or leave out --no-build`
      : options.unpulled?.has(image)
        ? 'the stack builds it: tscompose build --locked'
        : 'load it with "tscompose load", or allow to pull it (pull_policy, --pull)',
  });
}
