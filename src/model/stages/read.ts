import type {Json} from '../../base/canonical-json.ts';
import {attributeTable} from '../attributes/index.ts';
import {withImpliedDependencies} from '../attributes/links.ts';
import {type ResourceContext, readFileObject, readModel, readNetwork, readVolume} from '../attributes/top-level.ts';
import {checkOwnOptions} from '../own-options.ts';
import type {Problems} from '../problems.ts';
import type {Tree} from '../tree.ts';
import {isNull, member, toPlain} from '../tree.ts';
import type {FileObject, Model, Network, Service, Volume} from '../types.ts';

/** The parts of a project that its files state, in canonical form. */
export interface ReadStack {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, Network>>;
  readonly volumes: Readonly<Record<string, Volume>>;
  readonly configs: Readonly<Record<string, FileObject>>;
  readonly secrets: Readonly<Record<string, FileObject>>;
  readonly models: Readonly<Record<string, Model>>;
  readonly extensions?: Readonly<Record<string, Json>>;
}

/** Canonical values of a validated tree; what is wrong with one is reported and the value left out. */
export function readStack(tree: Tree, projectName: string, problems: Problems): ReadStack {
  const section = <T>(name: string, read: (node: Tree, context: ResourceContext) => T): Record<string, T> => {
    const node = member(tree, name);
    const entries = node?.kind === 'mapping' ? [...node.entries] : [];
    return Object.fromEntries(
      entries.map(([key, {value}]) => [key, read(value, {problems, where: `${name}.${key}`, projectName, key})]),
    );
  };
  const extensions = readExtensions(tree);
  return {
    services: section('services', (node, {where}) => readService(node, where, problems)),
    networks: section('networks', readNetwork),
    volumes: section('volumes', readVolume),
    configs: section('configs', readFileObject),
    secrets: section('secrets', readFileObject),
    models: section('models', readModel),
    ...(extensions === undefined ? {} : {extensions}),
  };
}

function readService(node: Tree, where: string, problems: Problems): Service {
  const service: Record<string, unknown> = {};
  if (node.kind !== 'mapping') return service;
  for (const [name, row] of attributeTable) {
    const value = node.entries.get(name)?.value;
    if (value === undefined || (isNull(value) && name !== 'command' && name !== 'entrypoint')) continue;
    const read = row.read(value, {problems, where: `${where}.${name}`});
    if (read !== undefined) service[name] = read;
  }
  checkOwnOptions(node, where, problems);
  const extensions = readExtensions(node);
  if (extensions !== undefined) service['extensions'] = extensions;
  return withDefaultNetwork(withImpliedDependencies(service));
}

/** A service that says nothing of networks joins the project's default one; one that a program provides joins none. */
function withDefaultNetwork(service: Service): Service {
  if (service.provider !== undefined) return service;
  if (service.network_mode !== undefined || Object.keys(service.networks ?? {}).length > 0) return service;
  return {...service, networks: {default: null}};
}

function readExtensions(node: Tree): Record<string, Json> | undefined {
  if (node.kind !== 'mapping') return undefined;
  const found = [...node.entries].filter(([key]) => key.startsWith('x-'));
  return found.length === 0 ? undefined : Object.fromEntries(found.map(([key, {value}]) => [key, toPlain(value)]));
}
