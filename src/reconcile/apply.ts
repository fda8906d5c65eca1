import {hasKind, TscomposeError} from '../base/errors.ts';
import type {Action, ActionKind, ContainerId, ContainerRef, NodeId, PlanNode} from '../plan/action.ts';
import type {Observed} from '../plan/observed.ts';
import {withAnonymousVolumes} from './anonymous-volumes.ts';
import {applyHook, type HookContext} from './apply-hook.ts';
import type {Lowering} from './lowering.ts';

export interface ApplyContext extends HookContext {
  /** Absent where no stack file is at hand: then nothing is created. */
  readonly lowering: Lowering | undefined;
  /** What the plan was made from. */
  readonly observed: Observed;
  /** Containers that earlier nodes of the same plan made. */
  readonly created: Map<NodeId, ContainerId>;
  readonly renewAnonymousVolumes: boolean;
  readonly imageKeyOf: (service: string) => string | undefined;
  readonly beforeStart?: ((container: ContainerId) => Promise<void>) | undefined;
}

/** What became of it: `kept` says why something was left as it is, `warning` what the engine said besides. */
export interface Applied {
  readonly container?: ContainerId;
  readonly kept?: string;
  readonly warning?: string;
}

/** Actions that are one call of the engine, made in a wave; a wait is none, and images come between waves. */
export type CallKind = Exclude<ActionKind, 'awaitCondition' | 'pullImage' | 'buildImage'>;

type Apply = {
  readonly [K in CallKind]: (action: Action<K>, context: ApplyContext, node: PlanNode) => Promise<Applied>;
};

/** One call each, nothing decided. What is already as it should be counts as done. */
export const apply: Apply = {
  async createNetwork(action, context) {
    const {warning} = await context.engine.createNetwork(required(context.lowering).network(action.network));
    return warning ? {warning} : {};
  },
  async removeNetwork(action, {engine}) {
    try {
      await engine.getNetwork(action.name).remove();
    } catch (error) {
      // Containers of others are nothing that this command may touch.
      if (hasKind(error, 'conflict', 'forbidden')) return {kept: `network "${action.name}" stays: ${error.message}`};
      tolerate(error, 'notFound');
    }
    return {};
  },
  async createVolume(action, context) {
    await context.engine.createVolume(required(context.lowering).volume(action.volume));
    return {};
  },
  async removeVolume(action, {engine}) {
    try {
      await engine.getVolume(action.name).remove();
    } catch (error) {
      if (hasKind(error, 'conflict')) return {kept: `volume "${action.name}" stays: ${error.message}`};
      tolerate(error, 'notFound');
    }
    return {};
  },
  async removeImage(action, {engine}) {
    try {
      await engine.getImage(action.name).remove();
    } catch (error) {
      if (hasKind(error, 'conflict')) return {kept: `image "${action.name}" stays: ${error.message}`};
      tolerate(error, 'notFound');
    }
    return {};
  },
  async createContainer(action, context, {id: node}) {
    const {observed, lowering, engine} = context;
    const key = context.imageKeyOf(action.service);
    const image = key === undefined ? undefined : observed.images[key];
    const replaces = observed.containers.find(({id}) => id === action.replaces);
    const {platform, ...body} = required(lowering).container({
      service: action.service,
      replica: action.replica,
      image,
      ...(replaces === undefined ? {} : {replaces}),
      ...(action.oneOff === undefined ? {} : {oneOff: action.oneOff}),
    });
    const {id, warnings = []} = await engine.createContainer({
      // As Compose says it of every container, for those who look at it by other means.
      AttachStdout: true,
      AttachStderr: true,
      ...withAnonymousVolumes(
        {...body, HostConfig: {PortBindings: {}, ...body.HostConfig}},
        {
          project: observed.project,
          image,
          inherited: context.renewAnonymousVolumes ? [] : (replaces?.mounts ?? []),
        },
      ),
      name: action.name,
      ...(platform === undefined ? {} : {platform}),
    });
    context.created.set(node, id as ContainerId);
    return {
      container: id as ContainerId,
      ...(warnings.length > 0 && {warning: warnings.map((text) => `${action.name}: ${text}`).join('\n')}),
    };
  },
  async startContainer(action, context) {
    const id = resolve(action.container, context);
    await context.beforeStart?.(id);
    await context.engine
      .getContainer(id)
      .start()
      .catch((error: unknown) => tolerate(error, 'notModified'));
    return {container: id};
  },
  async stopContainer(action, context) {
    const id = resolve(action.container, context);
    const options = action.timeoutSeconds === undefined ? {} : {t: action.timeoutSeconds};
    await context.engine
      .getContainer(id)
      .stop(options)
      .catch((error: unknown) => tolerate(error, 'notModified', 'notFound'));
    return {container: id};
  },
  async restartContainer(action, context) {
    const id = resolve(action.container, context);
    await context.engine
      .getContainer(id)
      .restart(action.timeoutSeconds === undefined ? {} : {t: action.timeoutSeconds});
    return {container: id};
  },
  async killContainer(action, context) {
    const id = resolve(action.container, context);
    await context.engine
      .getContainer(id)
      .kill(action.signal === undefined ? {} : {signal: action.signal})
      // It has ended meanwhile, by itself or by another command.
      .catch((error: unknown) => tolerate(error, 'conflict', 'notFound'));
    return {container: id};
  },
  async pauseContainer(action, context) {
    const id = resolve(action.container, context);
    await context.engine.getContainer(id).pause();
    return {container: id};
  },
  async unpauseContainer(action, context) {
    const id = resolve(action.container, context);
    await context.engine.getContainer(id).unpause();
    return {container: id};
  },
  async removeContainer(action, context) {
    const id = resolve(action.container, context);
    // Forced, as Compose does: it was stopped before, and may have been started again by its policy or by anybody.
    const options = {force: true, v: action.removeAnonymousVolumes};
    await context.engine
      .getContainer(id)
      .remove(options)
      .catch((error: unknown) => tolerate(error, 'notFound'));
    return {container: id};
  },
  async renameContainer(action, context) {
    const id = resolve(action.container, context);
    await context.engine.getContainer(id).rename({name: action.name});
    return {container: id};
  },
  async runHook(action, context, {why}) {
    const id = resolve(action.container, context);
    await applyHook(action, {...context, id, why});
    return {container: id};
  },
};

/** Walks the table for an action of any kind. */
export function applyAction(action: Action<CallKind>, context: ApplyContext, node: PlanNode): Promise<Applied> {
  // The row of a kind takes the action of that kind: TypeScript cannot follow a union through a table.
  const row = apply[action.kind] as (
    action: Action<CallKind>,
    context: ApplyContext,
    node: PlanNode,
  ) => Promise<Applied>;
  return row(action, context, node);
}

function resolve(container: ContainerRef, context: ApplyContext): ContainerId {
  if (container.kind === 'existing') return container.id;
  const id = context.created.get(container.node);
  if (id === undefined)
    throw new TscomposeError('internal', `container "${container.name}" is used before it is created`);
  return id;
}

function required(lowering: Lowering | undefined): Lowering {
  if (lowering === undefined) throw new TscomposeError('internal', 'nothing can be created without a stack file');
  return lowering;
}

function tolerate(error: unknown, ...kinds: readonly ('conflict' | 'notFound' | 'notModified')[]): void {
  if (!hasKind(error, ...kinds)) throw error;
}
