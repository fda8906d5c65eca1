import {canonicalJson, type Json, sha256Hex} from '../base/canonical-json.ts';
import type {LowerContext} from './attributes/attribute.ts';
import {attributeTable} from './attributes/index.ts';
import {ownMember, ownOptions} from './own-options.ts';
import type {Network, Project, Volume} from './types.ts';

/** Canonical values by attribute; the format's version is its member `v`. */
export type StatedSpec = Readonly<Record<string, Json>>;

const version = 1;

/**
 * What the stack file states of a service's containers: no defaults, nothing that concerns no container, contents of
 * configs and secrets as digests. It is kept with each container and compared with later: a new attribute or a new
 * version of ours leaves what is there as it is.
 */
export function serviceSpec(context: Omit<LowerContext, 'containerOf'>): StatedSpec {
  const spec: Record<string, Json> = {v: version};
  for (const [name, row] of attributeTable) {
    const value = (context.service as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    const stated =
      row.spec === undefined ? statedValue(value) : row.spec(value, {...context, containerOf: (service) => service});
    if (stated !== undefined) spec[name] = stated;
  }
  const own = statedValue(ownOptions(context.service));
  if (own !== undefined) spec[ownMember] = own;
  return spec;
}

/** Empty texts, lists and mappings state nothing. */
function statedValue(value: unknown): Json | undefined {
  if (value === null || value === '') return undefined;
  if (typeof value === 'object' && Object.keys(value).length === 0) return undefined;
  return value as Json;
}

export function networkSpec(network: Network): StatedSpec {
  const {name: _name, external: _external, ...stated} = network;
  return {v: version, ...withoutEmpty(stated)};
}

export function volumeSpec(volume: Volume): StatedSpec {
  const {name: _name, external: _external, ...stated} = volume;
  return {v: version, ...withoutEmpty(stated)};
}

function withoutEmpty(stated: object): StatedSpec {
  const entries = Object.entries(stated).map(([name, value]) => [name, statedValue(value)] as const);
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, Json] => entry[1] !== undefined));
}

/** Compose's `config-hash`: other tools show it. It decides nothing here. */
export function configHash(spec: StatedSpec): string {
  return sha256Hex(canonicalJson(spec));
}

/** The services that a container's spec is made of, for callers that have no container at hand. */
export function specOf(project: Project, serviceName: string): StatedSpec {
  const service = project.services[serviceName] ?? {};
  return serviceSpec({project, service, serviceName, files: true});
}
