/**
 * Where Compose's answer is another one, by the row's path or the beginning of it, with the reason. A difference that is
 * gone fails the test.
 */
export const attributeDifferences: Readonly<Record<string, string>> = {
  'services.*.build.no_cache_filter': 'the specification has it since Compose 5',
  'services.*.build.ssh': 'Compose refuses to merge a list of keys',
  'services.*.pre_start': 'the specification has it since Compose 5.3',
  'services.*.configs[].target': 'a target is printed as it is used',
  'services.*.secrets': 'a target is printed as it is used, and two secrets at one path are one',
  'services.*.extra_hosts': 'the same address twice is one',
  'services.*.group_add': 'Compose refuses a group that both files name',
  'services.*.cpu_rt_': 'the specification allows a duration',
  'services.*.ulimits': 'Compose prints nothing of a limit of 0',
  'services.*.blkio_config': 'in JSON Compose prints names that it does not read',
  'networks.*.external.name': 'Compose refuses to merge the old form',
  'volumes.*.external.name': 'Compose refuses to merge the old form',
  'configs.*.external.name': 'Compose refuses to merge the old form',
  'secrets.*.external.name': 'Compose refuses to merge the old form',
  'networks.*.ipam.config[].subnet': 'Compose loses the pools that the later file does not name',
  'networks.*.ipam.options': 'Compose reads and forgets them',
  models: 'Compose leaves models out of its JSON',
  'configs.*.driver': 'where it comes from is asked at "up", as for an external one',
  'secrets.*.driver': 'where it comes from is asked at "up", as for an external one',
};
