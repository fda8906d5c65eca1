import {hasKind} from '../../base/errors.ts';
import type {Project} from '../../model/types.ts';
import {hooksOf} from '../../plan/hooks.ts';
import {restart} from '../../reconcile/commands.ts';
import type {ConvergeContext} from '../../reconcile/converge.ts';
import type {WatchEngine} from './engine.ts';

/** Restarts what a save calls for. */
export interface Restarts {
  /** Resolves when the processes run again, those of dependents with `restart: true` too. Stopped containers are started. */
  restart(service: string, containers: readonly string[]): Promise<void>;
}

export interface RestartsOptions {
  readonly engine: WatchEngine;
  readonly project: () => Project;
  readonly converge: ConvergeContext;
}

/**
 * A service that no other one wants to follow, and that has no commands to be run before and after, is restarted at once, by
 * one call a container. Otherwise it is done as with the command `restart`: the order and the conditions of its dependents
 * count. What is asked for meanwhile comes together after it.
 */
export function createRestarts({engine, project, converge}: RestartsOptions): Restarts {
  let waiting: {readonly services: Set<string>; readonly done: Promise<void>} | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const withDependents = (service: string): Promise<void> => {
    if (waiting !== undefined) {
      waiting.services.add(service);
      return waiting.done;
    }
    const services = new Set([service]);
    const run = async (): Promise<void> => {
      waiting = undefined;
      const now = project();
      await restart({name: now.name, project: now}, {services: [...services]}, converge);
    };
    const done = last.then(run, run);
    waiting = {services, done};
    last = done.catch(() => {});
    return done;
  };
  return {
    async restart(service, containers) {
      if (hasFollowers(project(), service) || hasHooks(project(), service)) return withDependents(service);
      await Promise.all(containers.map((id) => restartOne(engine, id)));
    },
  };
}

function hasFollowers({services}: Project, service: string): boolean {
  return Object.values(services).some(({depends_on}) => depends_on?.[service]?.restart === true);
}

function hasHooks(project: Project, service: string): boolean {
  return (['post_start', 'pre_stop'] as const).some((hook) => hooksOf(project, service, hook).length > 0);
}

/** One that is gone was removed or replaced: whoever did so starts what is there instead. */
async function restartOne(engine: WatchEngine, id: string): Promise<void> {
  try {
    await engine.getContainer(id).restart();
  } catch (error) {
    if (!hasKind(error, 'notFound')) throw error;
  }
}
