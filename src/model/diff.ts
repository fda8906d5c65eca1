import type {Json} from '../base/canonical-json.ts';
import {canonicalJson} from '../base/canonical-json.ts';
import {yamlOf} from './render.ts';
import {maskedValue} from './secrecy.ts';
import type {Project} from './types.ts';

/** What a difference puts at risk, the gravest first. */
export const diffGroups = [
  'services',
  'image',
  'rights',
  'ports',
  'volumes',
  'secrets',
  'replicas',
  'limits',
  'other',
] as const;
export type DiffGroup = (typeof diffGroups)[number];

/** One difference of two resolved stacks; a value is absent on the side that does not have it. */
export interface Difference {
  readonly group: DiffGroup;
  /** `services.web.image` */
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
  /** Set where the values are secrets and stand there masked. */
  readonly masked?: true;
  /** Set where the value is a secret or config whose content cannot be had on the second side. */
  readonly missing?: string;
}

type JsonObject = {readonly [key: string]: Json};

/** Everything in which two stacks differ, by risk, then by path; values that look secret are masked. */
export function diffProjects(before: Project, after: Project): readonly Difference[] {
  const found: Difference[] = [];
  compare([], comparable(before), comparable(after), found);
  for (const side of [before, after]) found.push(...missingSources(side, side === after ? before : after));
  const order = (difference: Difference): number => diffGroups.indexOf(difference.group);
  return unique(found)
    .map((difference) => ({...difference, ...mask(difference)}))
    .sort((a, b) => order(a) - order(b) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** The project's own name does not count: it is the same stack in two environments. */
function comparable(project: Project): JsonObject {
  const {name: _, ...rest} = yamlOf(project);
  const text = JSON.stringify(rest).replaceAll('$$', '$');
  return JSON.parse(text.replaceAll(`"name":"${project.name}_`, '"name":"PROJECT_')) as JsonObject;
}

function unique(found: readonly Difference[]): readonly Difference[] {
  const byPath = new Map(found.map((difference) => [`${difference.path} ${difference.missing ?? ''}`, difference]));
  return [...byPath.values()];
}

type Steps = readonly string[];

/** `['services', 'web', 'ports', '[80/tcp]']` → `services.web.ports[80/tcp]` */
function pathOf(steps: Steps): string {
  return steps.map((step, index) => (index === 0 || step.startsWith('[') ? step : `.${step}`)).join('');
}

function compare(steps: Steps, before: Json | undefined, after: Json | undefined, found: Difference[]): void {
  if (before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after)) return;
  const members = membersOf(steps, before, after);
  if (members === undefined) {
    found.push({
      group: groupOf(steps),
      path: pathOf(steps),
      ...(before === undefined ? {} : {before}),
      ...(after === undefined ? {} : {after}),
    });
    return;
  }
  const [a, b] = members;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [below, above] = [a, b].map((side) => (Object.hasOwn(side, key) ? side[key] : undefined));
    compare([...steps, key], below, above, found);
  }
}

/** What two values are taken apart into; undefined where the values themselves are what differs. */
function membersOf(
  steps: Steps,
  before: Json | undefined,
  after: Json | undefined,
): readonly [JsonObject, JsonObject] | undefined {
  if (isObject(before) && isObject(after)) return [before, after];
  if (isList(before) && isList(after))
    return ordered.has(steps.at(-1) ?? '') ? undefined : [keyed(before), keyed(after)];
  if (!isTakenApart(steps) || (before !== undefined && after !== undefined)) return undefined;
  return [partsOf(before), partsOf(after)];
}

/** What only one side has and whose members are what counts, each with its own risk. */
function isTakenApart(steps: Steps): boolean {
  const [section, , ...attribute] = steps;
  if (steps.length < 2) return section === undefined || sections.has(section);
  return section === 'services' && apart.has(attribute.join('.'));
}

function partsOf(value: Json | undefined): JsonObject {
  if (isList(value)) return keyed(value);
  return isObject(value) ? value : {};
}

const apart: ReadonlySet<string> = new Set([
  'deploy',
  'deploy.resources',
  'deploy.resources.limits',
  'deploy.resources.reservations',
  'environment',
  'labels',
  'ports',
  'volumes',
]);

const sections: ReadonlySet<string> = new Set(['services', 'networks', 'volumes', 'configs', 'secrets', 'models']);

/** Lists whose order is their meaning. */
const ordered: ReadonlySet<string> = new Set(['command', 'entrypoint', 'test']);

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A list by what its items are about: a port's or mount's target, else the item itself. */
function keyed(list: readonly Json[]): JsonObject {
  const result: Record<string, Json> = {};
  for (const item of list) {
    const object = isObject(item) ? item : undefined;
    const target = object?.['target'] ?? object?.['source'];
    const name = target === undefined ? canonicalJson(item) : `${String(target)}${suffix(object)}`;
    let key = `[${name}]`;
    for (let again = 2; Object.hasOwn(result, key); again += 1) key = `[${name} (${again})]`;
    result[key] = item;
  }
  return result;
}

function suffix(object: JsonObject | undefined): string {
  return object?.['protocol'] === undefined ? '' : `/${String(object['protocol'])}`;
}

const groupsByAttribute: Readonly<Record<string, DiffGroup>> = {
  image: 'image',
  build: 'image',
  platform: 'image',
  pull_policy: 'image',
  user: 'rights',
  group_add: 'rights',
  privileged: 'rights',
  cap_add: 'rights',
  cap_drop: 'rights',
  security_opt: 'rights',
  credential_spec: 'rights',
  use_api_socket: 'rights',
  devices: 'rights',
  device_cgroup_rules: 'rights',
  read_only: 'rights',
  sysctls: 'rights',
  pid: 'rights',
  ipc: 'rights',
  uts: 'rights',
  cgroup: 'rights',
  userns_mode: 'rights',
  isolation: 'rights',
  ports: 'ports',
  expose: 'ports',
  network_mode: 'ports',
  volumes: 'volumes',
  volumes_from: 'volumes',
  tmpfs: 'volumes',
  secrets: 'secrets',
  configs: 'secrets',
  scale: 'replicas',
  cpus: 'limits',
  cpuset: 'limits',
  cpu_shares: 'limits',
  cpu_quota: 'limits',
  cpu_period: 'limits',
  mem_limit: 'limits',
  mem_reservation: 'limits',
  memswap_limit: 'limits',
  mem_swappiness: 'limits',
  pids_limit: 'limits',
  ulimits: 'limits',
  blkio_config: 'limits',
  shm_size: 'limits',
};

function groupOf([section = '', , ...attributes]: Steps): DiffGroup {
  if (section === 'volumes') return 'volumes';
  if (section === 'secrets' || section === 'configs') return 'secrets';
  if (section !== 'services') return 'other';
  const [attribute, member] = attributes;
  if (attribute === undefined) return 'services';
  if (attribute === 'deploy' && member === 'replicas') return 'replicas';
  if (attribute === 'deploy' && member === 'resources') return 'limits';
  return groupsByAttribute[attribute] ?? 'other';
}

/** Used secrets and configs whose content is not there on one side, though it is on the other. */
function missingSources(project: Project, other: Project): readonly Difference[] {
  return (['secrets', 'configs'] as const).flatMap((kind) =>
    Object.entries(project[kind]).flatMap(([name, object]) => {
      if (object.digest !== undefined || object.external === true || other[kind][name]?.digest === undefined) return [];
      const missing =
        object.file === undefined
          ? `the variable ${object.environment} is not set`
          : `the file ${object.file} is not there`;
      return [{group: 'secrets' as const, path: `${kind}.${name}`, missing}];
    }),
  );
}

function mask({path, before, after}: Difference): Partial<Difference> {
  const [hiddenBefore, hiddenAfter] = [maskedValue(path, before), maskedValue(path, after)];
  if (hiddenBefore === before && hiddenAfter === after) return {};
  return {
    ...(hiddenBefore === undefined ? {} : {before: hiddenBefore}),
    ...(hiddenAfter === undefined ? {} : {after: hiddenAfter}),
    masked: true,
  };
}
