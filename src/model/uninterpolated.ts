import type {Json} from '../base/canonical-json.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import type {FileSource} from '../base/file-source.ts';
import {type LoadRequest, loadTree} from './load.ts';
import {createProblems} from './problems.ts';
import {validate} from './stages/validate.ts';
import {toPlain} from './tree.ts';

export interface Uninterpolated {
  readonly value: Json;
  readonly warnings: readonly Diagnostic[];
}

type JsonObject = {readonly [key: string]: Json};

/** The merged files as they stand, variables and all, with the names that Compose gives: `config --no-interpolate`. */
export async function loadUninterpolated(request: LoadRequest, source: FileSource): Promise<Uninterpolated> {
  const problems = createProblems();
  const {tree, name} = await loadTree(request, source, problems);
  validate(tree, problems);
  problems.throwIfAny();
  const {version: _, ...stated} = toPlain(tree) as JsonObject;
  const value = request.skip?.normalization === true ? {name, ...stated} : normalized({...stated, name}, name);
  return {value: sorted(value), warnings: problems.warnings};
}

function normalized(stack: JsonObject, projectName: string): JsonObject {
  const services = mapMembers(stack['services'], (service) => {
    if (service['network_mode'] !== undefined || service['networks'] !== undefined) return service;
    return {...service, networks: {default: null}};
  });
  const joinsDefault = Object.values(services).some((service) => {
    const {networks} = service as JsonObject;
    return typeof networks === 'object' && networks !== null && Object.hasOwn(networks, 'default');
  });
  const networks = {...(joinsDefault ? {default: {}} : {}), ...(stack['networks'] as JsonObject | undefined)};
  const result: Record<string, Json> = {...stack, services};
  for (const [section, members] of Object.entries({
    networks,
    volumes: stack['volumes'],
    configs: stack['configs'],
    secrets: stack['secrets'],
  })) {
    const named = mapMembers(members, (member, key) => ({
      ...member,
      ...(member['name'] === undefined ? {name: member['external'] === true ? key : `${projectName}_${key}`} : {}),
    }));
    if (Object.keys(named).length > 0) result[section] = named;
  }
  return result;
}

function mapMembers(members: Json | undefined, change: (member: JsonObject, key: string) => JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries((members ?? {}) as JsonObject).map(([key, member]) => [
      key,
      change((member ?? {}) as JsonObject, key),
    ]),
  );
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).sort((a, b) => (a < b ? -1 : 1));
  return Object.fromEntries(names.map((name) => [name, sorted((value as JsonObject)[name] ?? null)]));
}
