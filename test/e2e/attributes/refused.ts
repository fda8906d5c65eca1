/** A value of an attribute that is refused at `up`, and where the refusal points. */
export interface Refused {
  readonly says: unknown;
  /** Below the attribute. */
  readonly below?: string;
  /** What else the service says. */
  readonly beside?: object;
  /** Part of why. */
  readonly reason: string;
}

/** By attribute; one has several where parts of it are refused for reasons of their own. */
export const refused: Readonly<Record<string, readonly Refused[]>> = {
  build: [
    {says: {context: 's3://bucket/files'}, below: 'context', reason: 'contexts are directories'},
    {says: {context: '.', cache_from: ['type=gha']}, below: 'cache_from[0]', reason: 'neither be read nor written'},
    {says: {context: '.', sbom: true}, below: 'sbom', reason: 'is not attested'},
    {says: {context: '.', network: 'other'}, below: 'network', reason: 'no networks of stacks'},
  ],
  cpu_count: [{says: 2, reason: 'meaning on Windows only'}],
  cpu_percent: [{says: 50, reason: 'meaning on Windows only'}],
  credential_spec: [{says: {file: 'spec.json'}, reason: 'meaning on Windows only'}],
  isolation: [{says: 'process', reason: 'meaning on Windows only'}],
  logging: [
    {says: {driver: 'gelf'}, below: 'driver', reason: 'to files, syslog and journald only'},
    {says: {options: {'fluentd-tag': 'x'}}, below: 'options.fluentd-tag', reason: 'does not know the option'},
  ],
  mac_address: [{says: '02:00:00:00:00:07', beside: {network_mode: 'none'}, reason: 'no network interface of its own'}],
  models: [{says: ['ai'], reason: 'AI models are not run'}],
  networks: [
    {
      says: {outside: {link_local_ips: ['169.254.9.9']}},
      below: 'outside.link_local_ips',
      reason: 'link-local addresses',
    },
    {says: {outside: {driver_opts: {x: 'y'}}}, below: 'outside.driver_opts', reason: 'does not know the option'},
  ],
  pre_start: [{says: [{command: 'true'}], reason: 'not run yet'}],
  provider: [{says: {type: 'program'}, reason: 'programs that provide services'}],
  runtime: [{says: 'runsc', reason: 'only runtime'}],
  storage_opt: [{says: {size: '1g'}, reason: 'no options of storage'}],
  sysctls: [
    {says: {'kernel.panic': 1}, below: 'kernel.panic', reason: 'whole machine'},
    {
      says: {'net.core.somaxconn': 1024},
      below: 'net.core.somaxconn',
      beside: {network_mode: 'host'},
      reason: 'whole machine',
    },
  ],
  use_api_socket: [{says: true, reason: 'socket of an engine'}],
  userns_mode: [{says: 'other', reason: 'no other mapping of users'}],
  volumes: [
    {says: [{type: 'npipe', source: 'pipe', target: 'pipe'}], below: '[0].type', reason: 'images and memory'},
    {says: [{type: 'cluster', source: 'data', target: '/d'}], below: '[0].type', reason: 'images and memory'},
  ],
};
