import type {Json} from '../base/canonical-json.ts';
import {attributeTable} from './attributes/index.ts';
import type {FileObject, Network, Project, Service, Volume} from './types.ts';
import {yamlText} from './yaml-text.ts';

type JsonObject = {readonly [key: string]: Json};

export type ConfigFormat = 'yaml' | 'json';

/** The project as `config` prints it, by Compose's conventions; what it prints loads to the same project again. */
export function renderProject(project: Project, format: ConfigFormat): string {
  return format === 'json' ? JSON.stringify(jsonOf(project), null, 2) : yamlText(yamlOf(project));
}

/** Go's JSON sorts top-level sections and lists what a service leaves open; its YAML keeps an order of its own. */
function jsonOf(project: Project): Json {
  const services = mapValues(project.services, (service) => {
    const {command = null, entrypoint = null, deploy, ...rest} = renderService(service, false);
    const placed = deploy === undefined ? {} : {deploy: {resources: {}, ...(deploy as JsonObject), placement: {}}};
    return ordered({command, entrypoint, ...placed, ...rest});
  });
  return {
    ...section('configs', project.configs, renderFileObject),
    name: project.name,
    ...section('networks', project.networks, (network) => renderNetwork(network, true)),
    ...section('secrets', project.secrets, renderFileObject),
    services,
    ...section('volumes', project.volumes, renderVolume),
    ...escaped(deeplySorted(project.extensions ?? {})),
  };
}

/** The project as data, in the order in which YAML prints it; dollar signs doubled. */
export function yamlOf(project: Project): JsonObject {
  return {
    name: project.name,
    services: mapValues(project.services, (service) => renderService(service, true)),
    ...section('networks', project.networks, (network) => renderNetwork(network, false)),
    ...section('volumes', project.volumes, renderVolume),
    ...section('secrets', project.secrets, renderFileObject),
    ...section('configs', project.configs, renderFileObject),
    ...escaped(deeplySorted(project.extensions ?? {})),
  };
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

/** Compose's order is nearly that of the names. */
function ordered(rendered: JsonObject): JsonObject {
  const rank = (name: string): string => early[name] ?? name;
  const names = Object.keys(rendered).sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  return Object.fromEntries(names.map((name) => [name, rendered[name] as Json]));
}

const early: Readonly<Record<string, string>> = {profiles: 'a', build: 'b', develop: 'ba', cpus: 'cb'};

/** Attributes whose values are maps of the file's own keys: printed in the order of the keys. */
const mapAttributes: ReadonlySet<string> = new Set([
  'environment',
  'labels',
  'sysctls',
  'ulimits',
  'networks',
  'depends_on',
]);

function renderService(service: Service, extensions: boolean): JsonObject {
  const rendered: Record<string, Json> = {};
  for (const [name, row] of attributeTable) {
    const value = (service as Readonly<Record<string, unknown>>)[name];
    if (value === undefined || name === 'env_file' || isNothing(name, value)) continue;
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

/** Attributes that say something even when they are empty or false. */
const tellingWhenEmpty: ReadonlySet<string> = new Set([
  'command',
  'entrypoint',
  'healthcheck',
  'logging',
  'deploy',
  'develop',
]);
const silentWhenZero: ReadonlySet<string> = new Set([
  'tty',
  'stdin_open',
  'read_only',
  'cpus',
  'mem_limit',
  'mem_reservation',
  'memswap_limit',
  'shm_size',
  'pids_limit',
  'oom_score_adj',
]);

function isNothing(name: string, value: unknown): boolean {
  if (value === null) return true;
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

function renderFileObject({name, file, environment, content, external, labels}: FileObject): JsonObject {
  return escaped({
    name,
    ...(file === undefined ? {} : {file}),
    ...(environment === undefined ? {} : {environment}),
    ...(content === undefined ? {} : {content}),
    ...(external === true ? {external} : {}),
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : {labels: sorted(labels)}),
  });
}
