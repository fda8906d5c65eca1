import {composeLabels} from '../api/labels.ts';
import type {Network, Project} from '../model/types.ts';
import type {Cause, FieldChange} from './action.ts';
import {type PlanBuilder, placeOf} from './builder.ts';
import {compareSpecs} from './divergence.ts';
import type {Desired} from './input.ts';
import type {Observed, ObservedNetwork} from './observed.ts';

/** What is to become of a network of the project. */
export type NetworkDecision =
  | {readonly kind: 'keep'; readonly network: ObservedNetwork}
  | {readonly kind: 'create'; readonly why: Cause}
  /** Its containers are stopped, it is removed and made anew. */
  | {readonly kind: 'remake'; readonly network: ObservedNetwork; readonly why: Cause};

interface NetworkInput {
  readonly project: Project;
  readonly desired: Desired;
  readonly observed: Observed;
}

/** By key, for every network that a service uses. */
export function decideNetworks(plan: PlanBuilder, input: NetworkInput): ReadonlyMap<string, NetworkDecision> {
  const decisions = new Map<string, NetworkDecision>();
  for (const key of usedNetworks(input.project)) {
    const definition = input.project.networks[key];
    if (definition === undefined) continue;
    const decision = decideNetwork(plan, input, key, definition);
    if (decision !== undefined) decisions.set(key, decision);
  }
  return decisions;
}

function usedNetworks(project: Project): readonly string[] {
  const used = new Set(Object.values(project.services).flatMap((service) => Object.keys(service.networks ?? {})));
  return [...used].sort();
}

function decideNetwork(
  plan: PlanBuilder,
  input: NetworkInput,
  key: string,
  definition: Network,
): NetworkDecision | undefined {
  const {project, observed} = input;
  const source = project.provenance.at(`networks.${key}`);
  const named = observed.networks.filter((network) => network.name === definition.name);
  if (definition.external === true) {
    const [network] = named;
    if (network !== undefined) return {kind: 'keep', network};
    plan.problem({
      kind: 'notFound',
      ...placeOf(project, `networks.${key}`),
      message: `network "${definition.name}" is declared as external, but no network of that name exists`,
      hint: `start the project that creates it first, or write: tscompose engine network create ${definition.name}`,
    });
    return undefined;
  }
  const ours = named.find((network) => network.labels[composeLabels.project] === project.name);
  const network = ours ?? named[0];
  if (network === undefined) return {kind: 'create', why: {reason: 'no existing network', ...(source && {source})}};
  if (ours === undefined) {
    plan.note({
      level: 'warning',
      message: `network "${definition.name}" exists, but was not created for project "${project.name}"; it is used as it is`,
      hint: 'set "external: true" to use an existing network',
    });
    return {kind: 'keep', network};
  }
  const label = ours.labels[composeLabels.network];
  if (label !== undefined && label !== key) {
    plan.problem({
      kind: 'conflict',
      ...placeOf(project, `networks.${key}`),
      message: `network "${definition.name}" belongs to key "${label}" of the project, not to "${key}"`,
      hint: 'give one of the two networks another name',
    });
    return undefined;
  }
  const changes = networkChanges(input, key, definition, ours);
  if (changes.length === 0) return {kind: 'keep', network: ours};
  return {kind: 'remake', network: ours, why: {reason: 'configuration changed', changes}};
}

function networkChanges(
  input: NetworkInput,
  key: string,
  definition: Network,
  network: ObservedNetwork,
): readonly FieldChange[] {
  const path = `networks.${key}`;
  const {provenance} = input.project;
  if (network.spec !== undefined) {
    return compareSpecs({stored: network.spec, desired: input.desired.networks[key] ?? {}, path, provenance});
  }
  // Made by another tool: only what the file states is compared, with what the engine says.
  const stated: [string, unknown, unknown][] = [
    ['driver', network.driver, definition.driver],
    ['internal', network.internal, definition.internal],
    ['attachable', network.attachable, definition.attachable],
    ['enable_ipv6', network.enableIpv6, definition.enable_ipv6],
    ...Object.entries(definition.driver_opts ?? {}).map(([option, value]): [string, unknown, unknown] => [
      `driver_opts.${option}`,
      network.options[option],
      value,
    ]),
    ...(definition.ipam?.config ?? []).map((pool, index): [string, unknown, unknown] => {
      const subnets = (network.ipam.Config ?? []).map((existing) => existing.Subnet);
      return [
        `ipam.config[${index}].subnet`,
        subnets.includes(pool.subnet) ? pool.subnet : subnets.join(', '),
        pool.subnet,
      ];
    }),
  ];
  return stated.flatMap(([field, before, after]) => {
    if (after === undefined || before === after) return [];
    const source = provenance.at(`${path}.${field}`);
    return [
      {field, ...(before === undefined ? {} : {before: String(before)}), after: String(after), ...(source && {source})},
    ];
  });
}
