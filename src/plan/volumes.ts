import {composeLabels} from '../api/labels.ts';
import type {Project, Volume} from '../model/types.ts';
import type {Cause, FieldChange} from './action.ts';
import {type PlanBuilder, placeOf} from './builder.ts';
import {compareSpecs} from './divergence.ts';
import type {Desired, UpOptions} from './input.ts';
import type {Observed, ObservedVolume} from './observed.ts';

/** What is to become of a named volume of the project. */
export type VolumeDecision =
  | {readonly kind: 'keep'; readonly volume: ObservedVolume}
  | {readonly kind: 'create'; readonly why: Cause}
  /** Deleted and made anew: only with consent. */
  | {readonly kind: 'remake'; readonly volume: ObservedVolume; readonly why: Cause};

interface VolumeInput {
  readonly project: Project;
  readonly desired: Desired;
  readonly observed: Observed;
  readonly options: UpOptions;
}

/** By key, for every volume that a service uses. */
export function decideVolumes(plan: PlanBuilder, input: VolumeInput): ReadonlyMap<string, VolumeDecision> {
  const decisions = new Map<string, VolumeDecision>();
  for (const key of usedVolumes(input.project)) {
    const definition = input.project.volumes[key];
    if (definition === undefined) continue;
    const decision = decideVolume(plan, input, key, definition);
    if (decision !== undefined) decisions.set(key, decision);
  }
  return decisions;
}

function usedVolumes(project: Project): readonly string[] {
  const used = Object.values(project.services).flatMap((service) =>
    (service.volumes ?? []).flatMap((mount) =>
      mount.type === 'volume' && mount.source !== undefined ? [mount.source] : [],
    ),
  );
  return [...new Set(used)].sort();
}

function decideVolume(
  plan: PlanBuilder,
  input: VolumeInput,
  key: string,
  definition: Volume,
): VolumeDecision | undefined {
  const {project, observed, options} = input;
  const source = project.provenance.at(`volumes.${key}`);
  const volume = observed.volumes.find(({name}) => name === definition.name);
  if (definition.external === true) {
    if (volume !== undefined) return {kind: 'keep', volume};
    plan.problem({
      kind: 'notFound',
      ...placeOf(project, `volumes.${key}`),
      message: `volume "${definition.name}" is declared as external, but no volume of that name exists`,
      hint: `start the project that creates it first, or write: tscompose engine volume create ${definition.name}`,
    });
    return undefined;
  }
  if (volume === undefined) return {kind: 'create', why: {reason: 'no existing volume', ...(source && {source})}};
  const owner = volume.labels[composeLabels.project];
  if (owner !== project.name) {
    const whose =
      owner === undefined ? `was not created for project "${project.name}"` : `was created for project "${owner}"`;
    plan.note({
      level: 'warning',
      message: `volume "${definition.name}" exists, but ${whose}; it is used as it is`,
      hint: 'set "external: true" to use an existing volume',
    });
    return {kind: 'keep', volume};
  }
  const changes = volumeChanges(input, key, definition, volume);
  if (changes.length === 0) return {kind: 'keep', volume};
  const why: Cause = {reason: 'configuration changed', changes};
  if (options.recreateVolumes?.includes(definition.name)) return {kind: 'remake', volume, why};
  plan.ask({
    kind: 'recreateVolume',
    name: definition.name,
    question: `volume "${definition.name}" differs from the stack file: delete it with all its data and create it again?`,
    why,
  });
  return {kind: 'keep', volume};
}

function volumeChanges(
  input: VolumeInput,
  key: string,
  definition: Volume,
  volume: ObservedVolume,
): readonly FieldChange[] {
  const path = `volumes.${key}`;
  const {provenance} = input.project;
  if (volume.spec !== undefined) {
    return compareSpecs({stored: volume.spec, desired: input.desired.volumes[key] ?? {}, path, provenance});
  }
  const changes: FieldChange[] = [];
  const compare = (field: string, before: string | undefined, after: string | undefined): void => {
    if (after === undefined || before === after) return;
    const source = provenance.at(`${path}.${field}`);
    changes.push({field, ...(before === undefined ? {} : {before}), after, ...(source && {source})});
  };
  compare('driver', volume.driver, definition.driver);
  for (const [option, value] of Object.entries(definition.driver_opts ?? {})) {
    compare(`driver_opts.${option}`, volume.options[option], value);
  }
  return changes;
}
