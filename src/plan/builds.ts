import type {ServiceBuild} from '../model/lower-build.ts';
import type {Cause, NodeId} from './action.ts';
import type {PlanBuilder} from './builder.ts';
import {isHereAtAll} from './image-key.ts';
import type {UpInput} from './input.ts';
import {parsePullPolicy, statedPolicy} from './pull-policy.ts';

export interface BuildWishes {
  readonly builds: readonly ServiceBuild[];
  /** Images that are not here, which containers are to be made of, and which are not pulled before. */
  readonly missing: ReadonlySet<string>;
}

/**
 * Plans the builds, each image once, and after those that it is built upon; answers the nodes by image. What has been built
 * by this command is not built again.
 */
export function planBuilds(
  plan: PlanBuilder,
  input: UpInput,
  {builds, missing}: BuildWishes,
): ReadonlyMap<string, NodeId> {
  const {built} = input.memory;
  const causes = new Map<string, Cause>();
  for (const build of builds) {
    const why = whyBuild(input, build, missing);
    if (why !== undefined && !built.has(build.image)) causes.set(build.image, why);
  }
  // From the last to the first: what is built upon comes before, so that whole chains are found.
  for (const {image, after} of [...builds].reverse()) {
    if (!causes.has(image)) continue;
    for (const below of after) {
      const isThere = isHereAtAll(input.observed.images, below) || built.has(below);
      if (!isThere && !causes.has(below)) causes.set(below, {reason: `image "${image}" is built upon it`});
    }
  }
  const nodes = new Map<string, NodeId>();
  for (const {image, after, services} of builds) {
    const why = causes.get(image);
    if (why === undefined) continue;
    const own = services.filter((name) => Object.hasOwn(input.project.services, name));
    const needed = after.map((below) => nodes.get(below));
    nodes.set(
      image,
      plan.add({kind: 'buildImage', image, services: own}, {...why, ...placeOfBuild(input, services)}, needed),
    );
  }
  return nodes;
}

/** True for an image that is built whether it is here or not. */
export function isAlwaysBuilt({project, options}: Pick<UpInput, 'project' | 'options'>, build: ServiceBuild): boolean {
  return build.services.some((name) => {
    const service = project.services[name];
    if (service?.build === undefined) return false;
    return options.build === true || parsePullPolicy(statedPolicy(service, options))?.kind === 'build';
  });
}

function whyBuild(input: UpInput, build: ServiceBuild, missing: ReadonlySet<string>): Cause | undefined {
  const {options, memory} = input;
  if (options.build === true) return {reason: 'asked for by --build'};
  if (isAlwaysBuilt(input, build)) return {reason: 'pull_policy is build'};
  if (!missing.has(build.image)) return undefined;
  return {reason: memory.unpullable.has(build.image) ? 'cannot be pulled' : 'not on this machine'};
}

function placeOfBuild({project}: UpInput, [service]: readonly string[]): Pick<Cause, 'source'> {
  const source = project.provenance.at(`services.${service}.build`);
  return source === undefined ? {} : {source};
}
