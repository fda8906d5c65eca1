import type {CommandInput, Flags} from './command.ts';

const label = {value: 'KEY=VALUE', repeat: true, summary: 'set a label'} as const;
const option = {short: 'o', value: 'KEY=VALUE', repeat: true, summary: 'set an option of the driver'} as const;
const inspectFormat = {short: 'f', value: 'FORMAT', summary: "json, or a template such as '{{.Name}}'"} as const;
const list = {
  filter: {short: 'f', value: 'KEY=VALUE', repeat: true, summary: 'only those that fit'},
  format: {value: 'FORMAT', summary: "table, json (a line for each), or a template such as '{{.Name}}'"},
} as const;

/** Flags of the commands on networks and volumes of the engine: those of `docker network` and `docker volume`. */
export const resourceFlags = {
  'engine network create': {
    driver: {short: 'd', value: 'DRIVER', summary: 'bridge, macvlan or ipvlan (bridge)'},
    subnet: {value: 'SUBNET', repeat: true, summary: 'its addresses: one of IPv4, one of IPv6'},
    'ip-range': {value: 'RANGE', repeat: true, summary: 'the part of a subnet that containers get addresses of'},
    gateway: {value: 'ADDRESS', repeat: true, summary: 'its gateway in a subnet'},
    internal: {summary: 'lead to nothing outside'},
    ipv6: {summary: 'have IPv6, too'},
    attachable: {summary: 'as always: any container may join it'},
    opt: option,
    label,
  },
  'engine network ls': {
    ...list,
    quiet: {short: 'q', summary: 'print ids only'},
    'no-trunc': {summary: 'do not shorten ids'},
  },
  'engine network inspect': {format: inspectFormat},
  'engine network rm': {},
  'engine volume create': {
    driver: {short: 'd', value: 'DRIVER', summary: 'local'},
    opt: option,
    label,
  },
  'engine volume ls': {...list, quiet: {short: 'q', summary: 'print names only'}},
  'engine volume inspect': {format: inspectFormat},
  'engine volume rm': {force: {short: 'f', summary: 'say nothing of those that are not there'}},
} as const satisfies Record<string, Flags>;

export type ResourceInput<K extends keyof typeof resourceFlags> = CommandInput<(typeof resourceFlags)[K]>;

/** What each is for, and what it takes. */
export const resourceSummaries = {
  'engine network create': {summary: 'create a network, for stacks to use as an external one', args: 'NETWORK'},
  'engine network ls': {summary: 'list the networks', args: ''},
  'engine network inspect': {summary: 'print all that is known of networks', args: 'NETWORK...'},
  'engine network rm': {summary: 'remove networks that no container is on', args: 'NETWORK...'},
  'engine volume create': {summary: 'create a volume, for stacks to use as an external one', args: 'VOLUME'},
  'engine volume ls': {summary: 'list the volumes', args: ''},
  'engine volume inspect': {summary: 'print all that is known of volumes', args: 'VOLUME...'},
  'engine volume rm': {summary: 'remove volumes that no container has, with what is in them', args: 'VOLUME...'},
} as const;
