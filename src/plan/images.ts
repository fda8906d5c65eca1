import {imageOf} from '../model/image.ts';
import type {Project} from '../model/types.ts';
import type {PlanBuilder} from './builder.ts';
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
        source: project.provenance.at(`services.${name}.pull_policy`),
        message: `service "${name}": pull_policy "${service.pull_policy}" is not supported yet: images are loaded, not ${service.pull_policy === 'build' ? 'built' : 'pulled'}`,
        hint: 'leave "pull_policy" out, and load the image with "tscompose load"',
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
      source: project.provenance.at(`services.${name}.build`),
      message: `service "${name}": image "${image}" is not on this machine, and "build" is not supported yet`,
      hint: 'build the image elsewhere, bring it in with "tscompose load", and name it with "image"',
    });
  }
  for (const [image, [first = '', ...others]] of missing) {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    plan.problem({
      kind: 'notFound',
      source: project.provenance.at(`services.${first}.image`),
      message: `service "${first}"${more}: image "${image}" is not on this machine`,
      hint: 'load it with "tscompose load -i FILE"',
    });
  }
}
