import {isLoopback, parseAddress} from './ip.ts';

/** resolv.conf(5), as far as it matters here. */
export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

export function parseResolvConf(text: string): ResolvConf {
  let [nameservers, search, options]: [string[], string[], string[]] = [[], [], []];
  for (const line of text.split('\n')) {
    const [key, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (key === 'nameserver') nameservers = [...nameservers, ...values.slice(0, 1)];
    // The last line of either wins.
    else if (key === 'search' || key === 'domain') search = values;
    else if (key === 'options') options = [...options, ...values];
  }
  return {nameservers, search, options};
}

/** What a container's HostConfig says; empty lists mean: as on the machine. */
export interface ResolverSettings {
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
}

/** The address of the name service inside a container's namespace, as with Docker. */
export const nameServiceAddress = '127.0.0.11';

/** For a container on networks of ours: our name service, which is asked for every name (`ndots:0`). */
export function resolvConfForNetworks(machine: ResolvConf, settings: ResolverSettings): string {
  const options = settings.dnsOptions.length > 0 ? settings.dnsOptions : machine.options;
  const dots = options.some((option) => option.startsWith('ndots:')) ? [] : ['ndots:0'];
  return format({
    nameservers: [nameServiceAddress],
    search: searchOf(machine, settings),
    options: [...options, ...dots],
  });
}

/** For a container without networks of ours: as on the machine, unless told otherwise. */
export function resolvConfForMachine(machine: ResolvConf, settings: ResolverSettings, mode: 'host' | 'none'): string {
  // Outside the machine's own namespace its loopback addresses lead nowhere.
  const reachable = machine.nameservers.filter((text) => mode === 'host' || !isLoopbackText(text));
  return format({
    nameservers: settings.dns.length > 0 ? settings.dns : reachable,
    search: searchOf(machine, settings),
    options: settings.dnsOptions.length > 0 ? settings.dnsOptions : machine.options,
  });
}

/** Who is asked for names that are not ours. Link-local servers with a zone are left out: the zone is the machine's. */
export function upstreamServers(machine: ResolvConf, settings: ResolverSettings): readonly string[] {
  const servers = settings.dns.length > 0 ? settings.dns : machine.nameservers;
  return servers.filter((text) => parseAddress(text) !== undefined);
}

function searchOf(machine: ResolvConf, {dnsSearch}: ResolverSettings): readonly string[] {
  // The dot is the root: alone it stands for no search domain at all.
  return dnsSearch.length > 0 ? dnsSearch.filter((domain) => domain !== '.') : machine.search;
}

function isLoopbackText(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && isLoopback(address);
}

function format({nameservers, search, options}: ResolvConf): string {
  return [
    ...nameservers.map((server) => `nameserver ${server}\n`),
    search.length > 0 ? `search ${search.join(' ')}\n` : '',
    options.length > 0 ? `options ${options.join(' ')}\n` : '',
  ].join('');
}
