import {sharedParts, sharesNamespaceOf} from '../model/attributes/links.ts';
import type {Service} from '../model/types.ts';
import type {Cause, ContainerRef, NodeId} from './action.ts';
import {containerName, temporaryName} from './names.ts';
import {isUp, type ObservedContainer} from './observed.ts';
import {dependents} from './order.ts';
import {compareContainers} from './replicas.ts';
import {dependencyGraph} from './services.ts';
import {reference, remove, type Startable, stop, type Work} from './up-work.ts';

/** Creates, replaces and removes the containers of a service; those that are to start afterwards are noted. */
export function planContainers(work: Work, service: string): void {
  const definition = work.input.project.services[service];
  if (definition === undefined) return;
  const decisions = work.services.get(service) ?? [];
  const startable: Startable[] = [];
  work.startable.set(service, startable);
  const removals = decisions.flatMap((decision) =>
    decision.kind === 'remove' ? [remove(work, decision.container, decision.why)] : [],
  );
  for (const decision of decisions) {
    if (decision.kind === 'keep') {
      // Whether it starts is known once all dependents that must stop have been stopped: see planStarts.
    } else if (decision.kind === 'create') {
      const name = containerName(work.input.project.name, service, definition, decision.replica);
      const create = work.plan.add({kind: 'createContainer', service, replica: decision.replica, name}, decision.why, [
        ...resourcesReady(work, service, definition),
        ...(name === definition.container_name ? removals : []),
      ]);
      startable.push({
        container: {kind: 'planned', node: create, name, service},
        after: [create],
        why: {reason: 'new container'},
      });
    } else if (decision.kind === 'recreate') {
      startable.push(
        planRecreate(work, {
          service,
          definition,
          container: decision.container,
          why: decision.why,
          leftovers: removals,
        }),
      );
    } else if (decision.kind === 'finish') {
      startable.push(
        planFinish(work, {service, definition, container: decision.container, replaced: decision.replaced}),
      );
    }
  }
}

/**
 * As Compose does it: the new container is made under a temporary name, so that a failure leaves the old one as it is;
 * then the old one stops and goes, the new one gets its name. Only where a volume is made anew the old one goes first.
 */
function planRecreate(
  work: Work,
  recreate: {
    readonly service: string;
    readonly definition: Service;
    readonly container: ObservedContainer;
    readonly why: Cause;
    readonly leftovers: readonly NodeId[];
  },
): Startable {
  const {service, definition, container: old, why} = recreate;
  const {plan, input} = work;
  const dependentStops = stopDependents(work, service);
  const name = containerName(input.project.name, service, definition, old.number);
  const action = {kind: 'createContainer', service, replica: old.number, replaces: old.id} as const;
  const ready = [...resourcesReady(work, service, definition), ...recreate.leftovers];
  const started: Cause = {reason: 'new container'};
  const gone = work.removals.get(old.id);
  if (gone !== undefined) {
    const create = plan.add({...action, name}, why, [...ready, ...dependentStops, gone]);
    return {container: {kind: 'planned', node: create, name, service}, after: [create], why: started};
  }
  const temporary = temporaryName(old.id, name);
  const create = plan.add({...action, name: temporary}, why, ready);
  const removal = remove(work, old, {reason: 'replaced by a new container'}, [create, ...dependentStops]);
  const planned: ContainerRef = {kind: 'planned', node: create, name: temporary, service};
  const rename = plan.add(
    {kind: 'renameContainer', container: planned, name},
    {reason: 'takes the place of the old container'},
    [create, removal],
  );
  return {container: {...planned, name}, after: [create, rename], why: started};
}

function planFinish(
  work: Work,
  finish: {
    readonly service: string;
    readonly definition: Service;
    readonly container: ObservedContainer;
    readonly replaced: ObservedContainer | undefined;
  },
): Startable {
  const {service, definition, container, replaced} = finish;
  const name = containerName(work.input.project.name, service, definition, container.number);
  const why: Cause = {reason: 'finishes an interrupted recreate'};
  const after = replaced === undefined ? [] : [remove(work, replaced, why, stopDependents(work, service))];
  const rename = work.plan.add({kind: 'renameContainer', container: reference(container), name}, why, after);
  return {container: {...reference(container), name}, after: [rename], why};
}

/**
 * Stops the services that ask for it (`restart: true`), and those whose namespaces would end under them, before what they
 * depend on is replaced. They start again after it.
 */
function stopDependents(work: Work, service: string): readonly NodeId[] {
  const {project, observed} = work.input;
  return (dependents(dependencyGraph(project))[service] ?? []).flatMap((dependent) => {
    const definition = project.services[dependent];
    const isAsked = definition?.depends_on?.[service]?.restart === true;
    if (!isAsked && !sharesNamespaceOf(definition, service)) return [];
    const source = project.provenance.at(`services.${dependent}.depends_on.${service}${isAsked ? '.restart' : ''}`);
    const running = observed.containers.filter(
      (container) => container.service === dependent && !container.oneOff && isUp(container),
    );
    return running
      .sort(compareContainers)
      .map((container) =>
        stop(work, container, {reason: `depends on ${service}, which is recreated`, ...(source && {source})}),
      );
  });
}

/** What must be there before a container of the service can be made. */
export function resourcesReady(work: Work, name: string, definition: Service): readonly (NodeId | undefined)[] {
  return [
    ...(work.images.get(name) ?? []),
    // Named by its id: it must be there, and under its name.
    ...sharedParts(definition).flatMap(({service}) => (work.startable.get(service) ?? []).flatMap(({after}) => after)),
    ...Object.keys(definition.networks ?? {}).map((key) => work.networksReady.get(key)),
    ...(definition.volumes ?? []).map((mount) =>
      mount.source === undefined ? undefined : work.volumesReady.get(mount.source),
    ),
  ];
}
