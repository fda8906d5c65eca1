import type {Service} from '../model/types.ts';
import type {Cause, NodeId} from './action.ts';
import {addMissingHooks, startWithHooks} from './hooks.ts';
import {replicaCount} from './names.ts';
import {isUp} from './observed.ts';
import {staleCause} from './shared.ts';
import {reference, type Startable, stop, type Work} from './up-work.ts';

/** Starts the containers of a service once what it depends on has been started and is as it asks. */
export function planStarts(work: Work, service: string): void {
  const {project} = work.input;
  const definition = project.services[service];
  if (definition === undefined) return;
  stopStale(work, service, definition);
  const missingHooks = keptWithoutHooks(work, service);
  const startable = [...(work.startable.get(service) ?? []), ...keptToStart(work, service)];
  const inherited = Object.keys(definition.depends_on ?? {})
    .sort()
    .flatMap((dependency) => work.started.get(dependency) ?? []);
  // What is kept may be replaced once the new image is there: it does not start before, and nobody counts on it.
  const images = work.images.get(service) ?? [];
  if (startable.length === 0) {
    work.started.set(service, [...inherited, ...missingHooks, ...images]);
    return;
  }
  const dependencies = dependenciesMet(work, service, definition);
  const started = startable.map(({container, after, why}) =>
    startWithHooks(work.plan, {project, container}, why, [...after, ...dependencies, ...images]),
  );
  work.started.set(service, [...started, ...missingHooks]);
}

/** What runs and stays as it is gets the hooks that it still lacks. */
function keptWithoutHooks(work: Work, service: string): readonly NodeId[] {
  const {project, memory} = work.input;
  return (work.services.get(service) ?? []).flatMap((decision) => {
    if (decision.kind !== 'keep' || work.stops.has(decision.container.id)) return [];
    return addMissingHooks(work.plan, {project, container: decision.container, memory}) ?? [];
  });
}

/** They start again once what they share is there. */
function stopStale(work: Work, name: string, service: Service): void {
  const {project, memory} = work.input;
  const {services: decisions, stops} = work;
  for (const decision of decisions.get(name) ?? []) {
    if (decision.kind !== 'keep') continue;
    const {container} = decision;
    const why = staleCause({project, name, service, container, decisions, stops, memory});
    if (why !== undefined) stop(work, container, why);
  }
}

function keptToStart(work: Work, service: string): readonly Startable[] {
  const {memory} = work.input;
  return (work.services.get(service) ?? []).flatMap((decision) => {
    if (decision.kind !== 'keep') return [];
    const {container} = decision;
    const stopped = work.stops.get(container.id);
    if (stopped !== undefined)
      return [{container: reference(container), after: [stopped], why: {reason: 'stopped for what it depends on'}}];
    if (container.status === 'paused') {
      work.plan.note({
        level: 'warning',
        message: `container "${container.name}" is paused and stays so`,
        hint: `let it go on: tscompose unpause ${service}`,
      });
      return [];
    }
    if (isUp(container) || memory.started.has(container.id)) return [];
    const reason = container.status === 'created' ? 'created, not started' : `not running (${container.status})`;
    return [{container: reference(container), after: [], why: {reason}}];
  });
}

/** The nodes that must be done before the service may start. */
export function dependenciesMet(work: Work, service: string, definition: Service): readonly NodeId[] {
  const {project} = work.input;
  return Object.entries(definition.depends_on ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, {condition, required}]) => {
      const dependency = project.services[name];
      if (dependency === undefined) return [];
      const started = work.started.get(name) ?? [];
      if (condition === 'service_started' || replicaCount(dependency) === 0) return started;
      const key = `${name} ${condition} ${required}`;
      const known = work.awaited.get(key);
      if (known !== undefined) return [known];
      const source = project.provenance.at(`services.${service}.depends_on.${name}`);
      const why: Cause = {reason: `${service} depends on it`, ...(source && {source})};
      const node = work.plan.add({kind: 'awaitCondition', service: name, condition, required}, why, started);
      work.awaited.set(key, node);
      return [node];
    });
}
