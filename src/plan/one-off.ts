import type {UpInput} from './input.ts';
import {resourcesReady} from './up-containers.ts';
import {dependenciesMet} from './up-starts.ts';
import type {Work} from './up-work.ts';

/** The service that a container for one command is still to be made of. */
export function servicesWithOneOff({options: {oneOff}, observed, memory}: UpInput): readonly string[] {
  if (oneOff === undefined) return [];
  // One of that name that somebody else made is not ours: the engine says that the name is taken.
  const isMade = observed.containers.some(({name, id}) => name === oneOff.name && memory.created.has(id));
  return isMade ? [] : [oneOff.service];
}

/** It is made last, so that nothing of it stays where something that its service depends on fails. */
export function planOneOff(work: Work): void {
  const {oneOff} = work.input.options;
  for (const service of servicesWithOneOff(work.input)) {
    const definition = work.input.project.services[service];
    if (definition === undefined || oneOff === undefined) continue;
    work.plan.add(
      {kind: 'createContainer', service, replica: 1, name: oneOff.name, oneOff: true},
      {reason: 'asked for'},
      [...resourcesReady(work, service, definition), ...dependenciesMet(work, service, definition)],
    );
  }
}
