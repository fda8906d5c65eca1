import type {Project} from '../../src/model/types.ts';
import type {Action, ContainerId, ContainerRef, NodeId, Plan, PlanNode} from '../../src/plan/action.ts';
import {imageKey, imageKeyOf} from '../../src/plan/image-key.ts';
import type {Observed, ObservedContainer} from '../../src/plan/observed.ts';
import {container, containerId, network, volume} from './fixtures.ts';

/** Chooses one of the nodes that may be done next. */
export type Choose = (ready: readonly PlanNode[]) => PlanNode;

const firstReady: Choose = (ready) => {
  const [first] = ready;
  if (first === undefined) throw new Error('nothing is ready');
  return first;
};

/**
 * Carries a plan out on a picture of the world, in any order that the plan allows, at most `limit` nodes of it. It is as
 * strict as an engine: names are unique, networks and volumes in use stay, what is used must exist.
 */
export function applyPlan(
  world: Observed,
  plan: Plan,
  of: Project,
  options: {readonly choose?: Choose; readonly limit?: number} = {},
): Observed {
  const {choose = firstReady, limit = plan.nodes.length} = options;
  const created = new Map<NodeId, ContainerId>();
  const done = new Set<NodeId>();
  let current = world;
  while (done.size < Math.min(limit, plan.nodes.length)) {
    const node = choose(plan.nodes.filter(({id, after}) => !done.has(id) && after.every((before) => done.has(before))));
    current = applyNode(current, node, {of, created});
    done.add(node.id);
  }
  return current;
}

interface Scene {
  readonly of: Project;
  readonly created: Map<NodeId, ContainerId>;
}

let nextId = 0;

function applyNode(world: Observed, {id, action}: PlanNode, scene: Scene): Observed {
  const of = scene.of;
  switch (action.kind) {
    case 'createNetwork':
      refuse(
        world.networks.some(({name}) => name === action.name),
        `network ${action.name} exists`,
      );
      return {...world, networks: [...world.networks, network(of, action.network, {id: `network-${nextId++}`})]};
    case 'removeNetwork': {
      const users = world.containers.filter(
        ({networks, status}) => Object.hasOwn(networks, action.name) && status === 'running',
      );
      refuse(users.length > 0, `network ${action.name} is in use`);
      refuse(!world.networks.some(({name}) => name === action.name), `no network ${action.name}`);
      return {...world, networks: world.networks.filter(({name}) => name !== action.name)};
    }
    case 'createVolume':
      refuse(
        world.volumes.some(({name}) => name === action.name),
        `volume ${action.name} exists`,
      );
      return {...world, volumes: [...world.volumes, volume(of, action.volume)]};
    case 'removeVolume':
      refuse(
        world.containers.some(({mounts}) => mounts.some(({name}) => name === action.name)),
        `volume ${action.name} is in use`,
      );
      return {...world, volumes: world.volumes.filter(({name}) => name !== action.name)};
    case 'pullImage':
      return withImage(world, imageKey(action.image, action.platform));
    case 'buildImage':
      return withImage(world, action.image);
    case 'removeImage':
      refuse(
        world.containers.some(({image}) => image === world.images[action.name]?.id),
        `image ${action.name} is in use`,
      );
      return {
        ...world,
        images: Object.fromEntries(Object.entries(world.images).filter(([name]) => name !== action.name)),
      };
    case 'createContainer': {
      const made = createContainer(world, action, of);
      scene.created.set(id, made.id);
      return {...world, containers: [...world.containers, made]};
    }
    case 'startContainer':
    case 'restartContainer':
      return change(world, action.container, scene, (one) => {
        for (const [name, networkId] of Object.entries(one.networks)) {
          refuse(
            !world.networks.some((network) => network.name === name && network.id === networkId),
            `network ${name} of ${one.name} is gone`,
          );
        }
        const hooks = scene.of.services[one.service]?.post_start ?? [];
        return {...one, status: 'running', ...(hooks.length > 0 && {hooksDone: 0})};
      });
    case 'pauseContainer':
    case 'unpauseContainer': {
      const [from, to] =
        action.kind === 'pauseContainer' ? (['running', 'paused'] as const) : (['paused', 'running'] as const);
      refuse(find(world, action.container, scene).status !== from, `container ${action.container.name} is not ${from}`);
      return change(world, action.container, scene, (one) => ({...one, status: to}));
    }
    case 'killContainer':
    case 'stopContainer':
      return change(world, action.container, scene, (one) => ({...one, status: 'exited'}));
    case 'runHook':
      return change(world, action.container, scene, (one) => {
        refuse(one.status !== 'running', `container ${one.name} does not run`);
        if (action.hook === 'pre_stop') return one;
        refuse(one.hooksDone !== action.number - 1, `hook ${action.number} of ${one.name} is not the next`);
        return {...one, hooksDone: action.number};
      });
    case 'renameContainer':
      refuse(
        world.containers.some(({name}) => name === action.name),
        `the name ${action.name} is taken`,
      );
      return change(world, action.container, scene, (one) => ({...one, name: action.name}));
    case 'removeContainer':
      refuse(find(world, action.container, scene).status === 'running', `container ${action.container.name} runs`);
      return {
        ...world,
        containers: world.containers.filter(({id: other}) => other !== find(world, action.container, scene).id),
      };
    case 'awaitCondition':
      return world;
  }
}

function createContainer(world: Observed, action: Action<'createContainer'>, of: Project): ObservedContainer {
  refuse(
    world.containers.some(({name}) => name === action.name),
    `the name ${action.name} is taken`,
  );
  const made = container(of, action.service, {
    // A container that is to be replaced is called by the first 12 digits of its id: they must differ.
    id: containerId(String(nextId++).padStart(6, '0')),
    name: action.name,
    number: action.replica,
    status: 'created',
    image: world.images[imageKeyOf(of, action.service) ?? '']?.id ?? '',
  });
  const networks = Object.keys(made.networks).map((name) => {
    const found = world.networks.find((network) => network.name === name);
    refuse(found === undefined, `no network ${name}`);
    return [name, found?.id ?? ''] as const;
  });
  for (const {name} of made.mounts) refuse(!world.volumes.some((volume) => volume.name === name), `no volume ${name}`);
  return {...made, networks: Object.fromEntries(networks)};
}

function change(
  world: Observed,
  reference: ContainerRef,
  scene: Scene,
  apply: (one: ObservedContainer) => ObservedContainer,
): Observed {
  const {id} = find(world, reference, scene);
  return {...world, containers: world.containers.map((one) => (one.id === id ? apply(one) : one))};
}

function find(world: Observed, reference: ContainerRef, {created}: Scene): ObservedContainer {
  const id = reference.kind === 'existing' ? reference.id : created.get(reference.node);
  const found = world.containers.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no container ${reference.name}`);
  return found;
}

function refuse(condition: boolean, message: string): void {
  if (condition) throw new Error(message);
}

function withImage(world: Observed, key: string): Observed {
  return {...world, images: {...world.images, [key]: {id: `sha256:${key}`, config: {}}}};
}
