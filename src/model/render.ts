import type {Json} from '../base/canonical-json.ts';
import {attributeTable} from './attributes/index.ts';
import {mapAttributes, serviceOrder, silentWhenZero, tellingWhenEmpty, unprinted} from './render-service.ts';
import type {FileObject, Model, Network, Project, Service, Volume} from './types.ts';
import {yamlText} from './yaml-text.ts';

type JsonObject = {readonly [key: string]: Json};

export type ConfigFormat = 'yaml' | 'json';

/** The project as `config` prints it, by Compose's conventions; what it prints loads to the same project again. */
export function renderProject(
  project: Project,
  format: ConfigFormat,
  change: (printed: JsonObject) => JsonObject = (printed) => printed,
): string {
  return format === 'json' ? JSON.stringify(change(jsonOf(project)), null, 2) : yamlText(change(yamlOf(project)));
}

/** Go's JSON sorts top-level sections and lists what a service leaves open; its YAML keeps an order of its own. */
function jsonOf(project: Project): JsonObject {
  const services = mapValues(takingPart(project), (service) => {
    const {command = null, entrypoint = null, deploy, develop, ...rest} = renderService(service, false);
    const placed = deploy === undefined ? {} : {deploy: {resources: {}, placement: {}, ...(deploy as JsonObject)}};
    const watched = develop === undefined ? {} : {develop: withEveryExec(develop as JsonObject)};
    return ordered({command, entrypoint, ...placed, ...watched, ...rest});
  });
  return {
    ...section('configs', project.configs, renderFileObject),
    ...section('models', project.models ?? {}, renderModel),
    name: project.name,
    ...section('networks', project.networks, (network) => renderNetwork(network, true)),
    ...section('secrets', project.secrets, renderFileObject),
    services,
    ...section('volumes', project.volumes, renderVolume),
    ...escaped(deeplySorted(project.extensions ?? {})),
  };
}

/** The services without optional dependencies on others that take no part: those would lead nowhere when read again. */
function takingPart({services}: Project): Project['services'] {
  const entries = Object.entries(services).map(([name, service]) => {
    const {depends_on, ...rest} = service;
    if (depends_on === undefined) return [name, service] as const;
    const there = Object.entries(depends_on).filter(
      ([other, {required}]) => required || Object.hasOwn(services, other),
    );
    return [name, there.length === 0 ? rest : {...rest, depends_on: Object.fromEntries(there)}] as const;
  });
  return Object.fromEntries(entries);
}

/** Rules without a command have an empty one in Go's JSON. */
function withEveryExec({watch, ...rest}: JsonObject): JsonObject {
  if (watch === undefined) return rest;
  const rules = (watch as readonly JsonObject[]).map(({path, action, target, exec = {command: null}, ...others}) => ({
    ...{path: path as Json, action: action as Json},
    ...(target === undefined ? {} : {target}),
    ...{exec, ...others},
  }));
  return {watch: rules, ...rest};
}

/** The project as data, in the order in which YAML prints it; dollar signs doubled. */
export function yamlOf(project: Project): JsonObject {
  const printed = {
    name: project.name,
    services: mapValues(takingPart(project), (service) => renderService(service, true)),
    ...section('networks', project.networks, (network) => renderNetwork(network, false)),
    ...section('volumes', project.volumes, renderVolume),
    ...section('secrets', project.secrets, renderFileObject),
    ...section('configs', project.configs, renderFileObject),
    ...section('models', project.models ?? {}, renderModel),
    ...escaped(deeplySorted(project.extensions ?? {})),
  };
  return withNestedExtensions(printed, project);
}

/** Members that begin with `x-` stand behind the others, where what they belong to is printed. */
function withNestedExtensions(printed: JsonObject, {nestedExtensions = []}: Project): JsonObject {
  const inOrder = [...nestedExtensions].sort((a, b) => (String(a.path.at(-1)) < String(b.path.at(-1)) ? -1 : 1));
  return inOrder.reduce<JsonObject>((value, {path, value: member}) => {
    const plain = typeof member === 'object' && member !== null ? escaped(deeplySorted({member})) : {member};
    return withMemberAt(value, path, plain['member'] ?? null) as JsonObject;
  }, printed);
}

function withMemberAt(value: Json, path: readonly (string | number)[], member: Json): Json {
  const [step, ...rest] = path;
  if (typeof value !== 'object' || value === null || step === undefined) return value;
  if (typeof step === 'number') {
    const items = value as readonly Json[];
    return items.map((item, index) => (index === step ? withMemberAt(item, rest, member) : item));
  }
  const object = value as JsonObject;
  if (rest.length === 0) return {...object, [step]: member};
  const below = object[step];
  return below === undefined ? value : {...object, [step]: withMemberAt(below, rest, member)};
}

function section<T>(name: string, all: Readonly<Record<string, T>>, render: (value: T) => JsonObject): JsonObject {
  return Object.keys(all).length === 0 ? {} : {[name]: mapValues(all, render)};
}

function mapValues<T>(all: Readonly<Record<string, T>>, render: (value: T) => JsonObject): JsonObject {
  return Object.fromEntries(sortedKeys(all).map((key) => [key, render(all[key] as T)]));
}

/** By code points, as Go sorts. */
function sortedKeys(value: object): readonly string[] {
  return Object.keys(value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function sorted(value: JsonObject): JsonObject {
  return Object.fromEntries(sortedKeys(value).map((key) => [key, value[key] as Json]));
}

function deeplySorted(value: JsonObject): JsonObject {
  const walk = (member: Json): Json => {
    if (Array.isArray(member)) return member.map(walk);
    return typeof member === 'object' && member !== null ? deeplySorted(member as JsonObject) : member;
  };
  return Object.fromEntries(sortedKeys(value).map((key) => [key, walk(value[key] as Json)]));
}

/** Compose prints the attributes of a service in the order of its own structure. */
function ordered(rendered: JsonObject): JsonObject {
  const names = Object.keys(rendered).sort((a, b) => rankOf(a) - rankOf(b));
  return Object.fromEntries(names.map((name) => [name, rendered[name] as Json]));
}

const ranks: ReadonlyMap<string, number> = new Map(serviceOrder.map((name, index) => [name, index]));

function rankOf(name: string): number {
  return ranks.get(name) ?? serviceOrder.length;
}

function renderService(service: Service, extensions: boolean): JsonObject {
  const rendered: Record<string, Json> = {};
  for (const [name, row] of attributeTable) {
    const value = (service as Readonly<Record<string, unknown>>)[name];
    if (value === undefined || unprinted.has(name) || isNothing(name, value)) continue;
    const json = row.render === undefined ? (value as Json) : row.render(value);
    rendered[name] = mapAttributes.has(name) ? sorted(json as JsonObject) : json;
  }
  const {deploy} = rendered;
  if (deploy !== undefined && service.scale !== undefined)
    rendered['deploy'] = {replicas: service.scale, ...(deploy as JsonObject)};
  if (rendered['logging'] !== undefined) rendered['logging'] = renderLogging(rendered['logging'] as JsonObject);
  const all = extensions ? {...ordered(rendered), ...deeplySorted(service.extensions ?? {})} : ordered(rendered);
  return escaped(all);
}

function isNothing(name: string, value: unknown): boolean {
  if (value === null || value === '') return true;
  if (silentWhenZero.has(name)) return value === false || value === 0;
  return typeof value === 'object' && Object.keys(value).length === 0 && !tellingWhenEmpty.has(name);
}

function renderLogging({driver, options}: JsonObject): JsonObject {
  return {
    ...(driver === undefined ? {} : {driver}),
    ...(options === undefined ? {} : {options: sorted(options as JsonObject)}),
  };
}

/** A dollar sign that is meant is written twice: the output is a stack file itself. */
function escaped<T extends Json>(value: T): T {
  return escapeJson(value) as T;
}

function escapeJson(value: Json): Json {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(escapeJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, escapeJson(member as Json)]));
}

function renderNetwork(network: Network, json: boolean): JsonObject {
  const {name, driver, driver_opts, ipam, external, internal, attachable, labels, enable_ipv4, enable_ipv6} = network;
  const pools = ipam?.config?.map(({subnet, gateway, ip_range, aux_addresses}) => ({
    ...(subnet === undefined ? {} : {subnet}),
    ...(gateway === undefined ? {} : {gateway}),
    ...(ip_range === undefined ? {} : {ip_range}),
    ...(aux_addresses === undefined ? {} : {aux_addresses: sorted(aux_addresses)}),
  }));
  const addresses: JsonObject = {
    ...(ipam?.driver === undefined ? {} : {driver: ipam.driver}),
    ...(pools === undefined || pools.length === 0 ? {} : {config: pools}),
    ...(ipam?.options === undefined ? {} : {options: sorted(ipam.options)}),
  };
  return escaped({
    name,
    ...(driver === undefined ? {} : {driver}),
    ...(driver_opts === undefined ? {} : {driver_opts: sorted(driver_opts)}),
    ...(json || Object.keys(addresses).length > 0 ? {ipam: addresses} : {}),
    ...(external === true ? {external} : {}),
    ...(internal === true ? {internal} : {}),
    ...(attachable === true ? {attachable} : {}),
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : {labels: sorted(labels)}),
    ...(enable_ipv4 === undefined ? {} : {enable_ipv4}),
    ...(enable_ipv6 === undefined ? {} : {enable_ipv6}),
  });
}

function renderVolume({name, driver, driver_opts, external, labels}: Volume): JsonObject {
  return escaped({
    name,
    ...(driver === undefined ? {} : {driver}),
    ...(driver_opts === undefined ? {} : {driver_opts: sorted(driver_opts)}),
    ...(external === true ? {external} : {}),
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : {labels: sorted(labels)}),
  });
}

function renderFileObject(object: FileObject): JsonObject {
  const {name, file, environment, content, external, labels, driver, driver_opts, template_driver} = object;
  return escaped({
    name,
    ...(file === undefined ? {} : {file}),
    ...(environment === undefined ? {} : {environment}),
    ...(content === undefined ? {} : {content}),
    ...(external === true ? {external} : {}),
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : {labels: sorted(labels)}),
    ...(driver === undefined ? {} : {driver}),
    ...(driver_opts === undefined || Object.keys(driver_opts).length === 0 ? {} : {driver_opts: sorted(driver_opts)}),
    ...(template_driver === undefined ? {} : {template_driver}),
  });
}

function renderModel({name, model, context_size, runtime_flags = []}: Model): JsonObject {
  return escaped({
    ...(name === undefined ? {} : {name}),
    model,
    ...(context_size === undefined || context_size === 0 ? {} : {context_size}),
    ...(runtime_flags.length === 0 ? {} : {runtime_flags}),
  });
}
