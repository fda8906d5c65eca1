import type {Span} from '../source.ts';
import {nodeAt} from '../tree.ts';
import type {Service} from '../types.ts';
import {type CheckContext, dependencyPlace, place} from './check-context.ts';
import {checkMounts} from './check-mounts.ts';
import {checkPorts} from './check-ports.ts';
import {checkReferences} from './check-references.ts';
import type {ReadStack} from './read.ts';

/** What one value alone cannot show: names that lead nowhere, cycles, values that contradict each other. */
export function checkStack(stack: ReadStack, context: CheckContext): void {
  for (const [name, service] of Object.entries(stack.services)) {
    checkReferences(name, service, stack, context);
    checkConflicts(name, service, context);
  }
  checkContainerNames(stack, context);
  checkCycles(stack, context);
}

function checkConflicts(name: string, service: Service, context: CheckContext): void {
  const where = `services.${name}`;
  const {problems} = context;
  const {deploy} = service;
  const conflict = (attribute: string, other: string, values: string): void => {
    problems.error(place(context, ['services', name, attribute]), {
      code: 'conflict',
      message: `${where}: ${attribute} and ${other} contradict each other: ${values}`,
      hint: 'remove one of them',
      related: related(context, ['services', name, ...other.split('.')], `${other} is given`),
    });
  };
  const pairs: readonly (readonly [string, number | undefined, string, number | undefined])[] = [
    ['cpus', service.cpus, 'deploy.resources.limits.cpus', deploy?.resources?.limits?.cpus],
    ['mem_limit', service.mem_limit, 'deploy.resources.limits.memory', deploy?.resources?.limits?.memory],
    [
      'mem_reservation',
      service.mem_reservation,
      'deploy.resources.reservations.memory',
      deploy?.resources?.reservations?.memory,
    ],
    ['pids_limit', service.pids_limit, 'deploy.resources.limits.pids', deploy?.resources?.limits?.pids],
    ['scale', service.scale, 'deploy.replicas', deploy?.replicas],
  ];
  for (const [attribute, value, other, otherValue] of pairs) {
    if (value !== undefined && otherValue !== undefined && value !== otherValue)
      conflict(attribute, other, `${value} and ${otherValue}`);
  }
  if (service.network_mode !== undefined && service.networks !== undefined) {
    problems.error(place(context, ['services', name, 'network_mode']), {
      code: 'conflict',
      message: `${where}: network_mode and networks cannot be used together`,
      hint: 'remove one of them',
      related: related(context, ['services', name, 'networks'], 'networks is given'),
    });
  }
  const replicas = service.scale ?? deploy?.replicas ?? 1;
  const asking = service.scale === undefined ? 'deploy.replicas' : 'scale';
  if (service.container_name !== undefined && replicas > 1) {
    problems.error(place(context, ['services', name, 'container_name']), {
      code: 'conflict',
      message: `${where}: container_name allows one container, but ${asking} asks for ${replicas}`,
      hint: `remove container_name, or set ${asking} to 1`,
      related: related(context, ['services', name, ...asking.split('.')], `${asking} is given`),
    });
  }
  const restart = deploy?.restart_policy;
  if (restart?.max_attempts !== undefined && restart.condition !== 'on-failure') {
    problems.error(place(context, ['services', name, 'deploy', 'restart_policy', 'max_attempts']), {
      code: 'conflict',
      message: `${where}: max_attempts counts only with the condition on-failure`,
      hint: 'write "condition: on-failure", or remove max_attempts',
    });
  }
  checkBuild(name, service, context);
  checkMemory(name, service, context);
  checkPorts(name, service, context);
  checkMounts(name, service, context);
}

function checkBuild(name: string, {build, platform}: Service, context: CheckContext): void {
  const platforms = build?.platforms ?? [];
  if (platform === undefined || platforms.length === 0 || platforms.includes(platform)) return;
  context.problems.error(place(context, ['services', name, 'build', 'platforms']), {
    code: 'conflict',
    message: `services.${name}: it runs on ${platform}, and is built for ${platforms.join(', ')}`,
    hint: `add ${platform} to the platforms`,
    related: related(context, ['services', name, 'platform'], 'platform is given'),
  });
}

/** The first of several attributes that a service has, and its value as it is written. */
function stated(
  {tree}: CheckContext,
  service: string,
  names: readonly string[],
): {readonly name: string; readonly text: string} {
  for (const name of names) {
    const node = nodeAt(tree, ['services', service, ...name.split('.')]);
    if (node?.kind === 'scalar') return {name, text: String(node.value)};
  }
  return {name: names[0] ?? '', text: ''};
}

function checkMemory(name: string, service: Service, context: CheckContext): void {
  const limit = service.mem_limit ?? service.deploy?.resources?.limits?.memory;
  const reservation = service.mem_reservation ?? service.deploy?.resources?.reservations?.memory;
  if (limit === undefined || limit === 0) return;
  const allowed = stated(context, name, ['mem_limit', 'deploy.resources.limits.memory']);
  const reserved = stated(context, name, ['mem_reservation', 'deploy.resources.reservations.memory']);
  if (reservation !== undefined && reservation > limit) {
    context.problems.error(
      place(context, ['services', name, service.mem_reservation === undefined ? 'deploy' : 'mem_reservation']),
      {
        code: 'conflict',
        message: `services.${name}: ${reserved.name} (${reserved.text}) is more than ${allowed.name} (${allowed.text})`,
        hint: `lower ${reserved.name}, or raise ${allowed.name}`,
        related: related(context, ['services', name, ...allowed.name.split('.')], `${allowed.name} is given`),
      },
    );
  }
  const swap = service.memswap_limit;
  if (swap !== undefined && swap > 0 && swap < limit) {
    context.problems.error(place(context, ['services', name, 'memswap_limit']), {
      code: 'conflict',
      message: `services.${name}: memswap_limit (${stated(context, name, ['memswap_limit']).text}) is memory and swap together and cannot be below ${allowed.name} (${allowed.text})`,
      hint: 'write the memory limit plus the swap that is allowed, or -1 for any',
    });
  }
}

function related(
  context: CheckContext,
  path: readonly string[],
  message: string,
): {readonly message: string; readonly at: Span} | undefined {
  const at = place(context, path);
  return at === undefined ? undefined : {message, at};
}

function checkContainerNames(stack: ReadStack, context: CheckContext): void {
  const owners = new Map<string, string>();
  for (const [name, {container_name}] of Object.entries(stack.services)) {
    if (container_name === undefined) continue;
    const owner = owners.get(container_name);
    if (owner !== undefined) {
      context.problems.error(place(context, ['services', name, 'container_name'], 'value'), {
        code: 'conflict',
        message: `services.${name}: the container name "${container_name}" is taken by services.${owner}`,
        hint: 'give each its own name',
        related: related(context, ['services', owner, 'container_name'], 'given first'),
      });
    }
    owners.set(container_name, owner ?? name);
  }
}

/** Services one behind the other: far above any real stack, far below what the stack of calls can bear. */
const longestChain = 2000;

/** Each cycle once, as the path that leads back to its beginning. */
function checkCycles(stack: ReadStack, context: CheckContext): void {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): void => {
    const start = path.indexOf(name);
    if (start !== -1) {
      const cycle = [...path.slice(start), name];
      const last = cycle.at(-2) ?? name;
      const service = stack.services[last] ?? {};
      context.problems.error(dependencyPlace(context, {name: last, service, dependency: name}).at, {
        code: 'cycle',
        message:
          cycle.length === 2
            ? `services.${name}: it depends on itself`
            : `services depend on each other in a circle: ${cycle.join(' → ')}`,
        hint: cycle.length === 2 ? 'remove this dependency' : 'remove one of these dependencies',
      });
      return;
    }
    if (done.has(name)) return;
    if (path.length >= longestChain) {
      context.problems.error(place(context, ['services', name]), {
        code: 'too-deep',
        once: 'chain too long',
        message: `services depend on each other in a chain of more than ${longestChain}`,
        hint: 'name only what a service needs itself',
      });
      return;
    }
    path.push(name);
    for (const dependency of Object.keys(stack.services[name]?.depends_on ?? {})) visit(dependency);
    path.pop();
    done.add(name);
  };
  for (const name of Object.keys(stack.services)) visit(name);
}
