import {imageOf} from '../model/image.ts';
import type {Project, Service} from '../model/types.ts';
import type {Plan} from './action.ts';
import {createPlanBuilder} from './builder.ts';
import {imageKeyOf, inOrder} from './image-key.ts';
import type {Observed} from './observed.ts';
import {parsePullPolicy} from './pull-policy.ts';

export interface PullInput {
  /** With the services whose images are wanted, and no others. */
  readonly project: Project;
  readonly observed: Pick<Observed, 'images'>;
  readonly options: {
    /** Whatever the stack file says. */
    readonly policy?: 'always' | 'missing';
    /** What can be built is left out. */
    readonly ignoreBuildable?: boolean;
    /** Images that are not pulled, whatever is said of services. */
    readonly unpulled?: ReadonlySet<string>;
  };
}

/** Pulls the images of services, each once for each platform. Unlike `up`, an image that is there is pulled unless its policy says no. */
export function planPull({project, observed, options}: PullInput): Plan {
  const plan = createPlanBuilder(project.name, project.workingDir);
  const wanted = new Map<string, {readonly image: string; readonly platform?: string; readonly services: string[]}>();
  for (const [name, service] of Object.entries(project.services).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const image = imageOf(project, name);
    const key = imageKeyOf(project, name);
    const reason = whyNot(service, options, key !== undefined && Object.hasOwn(observed.images, key));
    if (reason !== undefined) plan.note({level: 'note', message: `service "${name}": nothing is pulled: ${reason}`});
    if (reason !== undefined || image === undefined || key === undefined) continue;
    const known = wanted.get(key);
    const platform = service.platform === undefined ? {} : {platform: service.platform};
    if (known === undefined) wanted.set(key, {image, ...platform, services: [name]});
    else known.services.push(name);
  }
  for (const pull of inOrder([...wanted.values()]))
    plan.add({kind: 'pullImage', ...pull}, {reason: `image of ${pull.services.join(', ')}`});
  return plan.build();
}

function whyNot(service: Service, options: PullInput['options'], isHere: boolean): string | undefined {
  if (service.image === undefined) return 'it has no image with a name of its own';
  if (options.unpulled?.has(service.image)) return 'the stack builds its image';
  if (service.build !== undefined && options.ignoreBuildable === true) return 'its image can be built';
  const policy = parsePullPolicy(options.policy ?? service.pull_policy ?? 'always');
  if (policy?.kind === 'never' || policy?.kind === 'build') return `its pull_policy is ${policy.kind}`;
  return policy?.kind === 'missing' && isHere ? 'its image is here' : undefined;
}
