import type {Project} from '../model/types.ts';
import type {PlanBuilder} from './builder.ts';
import type {Observed} from './observed.ts';

/** Policies that need nothing but an image that is there. */
const localPolicies: ReadonlySet<string> = new Set(['missing', 'if_not_present', 'never']);

/** Every image that a new container needs must be on the engine: nothing is pulled. */
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
        message: `service "${name}": pull_policy "${service.pull_policy}" is not supported yet: images are loaded, not pulled`,
        hint: 'leave "pull_policy" out, and load the image with "tscompose load"',
      });
    }
    if (!input.services.has(name) || service.image === undefined || Object.hasOwn(observed.images, service.image))
      continue;
    missing.set(service.image, [...(missing.get(service.image) ?? []), name]);
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
