import {imageOf} from '../model/image.ts';
import type {Project} from '../model/types.ts';
import {type PlanBuilder, placeOf} from './builder.ts';
import type {Observed} from './observed.ts';

/** Policies that need nothing but an image that is there. */
const localPolicies: ReadonlySet<string> = new Set(['missing', 'if_not_present', 'never']);

/** Every image that a new container needs must be on the engine: nothing is pulled, nothing is built. */
export function requireImages(
  plan: PlanBuilder,
  input: {readonly project: Project; readonly observed: Observed; readonly services: ReadonlySet<string>},
): void {
  const {project, observed} = input;
  const missing = new Map<string, readonly string[]>();
  for (const [name, service] of Object.entries(project.services).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (service.pull_policy !== undefined && !localPolicies.has(service.pull_policy)) {
      plan.problem({
        kind: 'unsupported',
        ...placeOf(project, `services.${name}.pull_policy`),
        message: `service "${name}": pull_policy "${service.pull_policy}" is not supported yet: images are loaded, not ${service.pull_policy === 'build' ? 'built' : 'pulled'}`,
        hint: 'remove "pull_policy", and load the image with "tscompose load"',
      });
    }
    const image = imageOf(project, name);
    if (!input.services.has(name) || image === undefined || Object.hasOwn(observed.images, image)) continue;
    if (service.build === undefined) {
      missing.set(image, [...(missing.get(image) ?? []), name]);
      continue;
    }
    plan.problem({
      kind: 'unsupported',
      ...placeOf(project, `services.${name}.build`),
      message: `service "${name}": image "${image}" is not on this machine, and "build" is not supported yet`,
      hint: `build it with Docker, and ${transferOf([image], 'there')}`,
    });
  }
  const hint = `tscompose cannot pull images yet: ${transferOf([...missing.keys()])}`;
  for (const [image, services] of missing) {
    const names = services.map((name) => `"${name}"`).join(', ');
    plan.problem({
      kind: 'notFound',
      ...placeOf(project, `services.${services[0]}.image`),
      message: `${services.length === 1 ? 'service' : 'services'} ${names}: image "${image}" is not on this machine`,
      hint,
    });
  }
}

/** The commands that bring images from where Docker has them to here. */
function transferOf(
  images: readonly string[],
  where = `where Docker has ${images.length === 1 ? 'it' : 'them'}`,
): string {
  const [first = ''] = images;
  const file = `${images.length === 1 ? first.replace(/^.*\//, '').replace(/[:@].*$/, '') : 'images'}.tar`;
  return `run "docker save -o ${file} ${images.join(' ')}" ${where}, then "tscompose load -i ${file}" here`;
}
