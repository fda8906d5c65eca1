import {BlockList, isIP} from 'node:net';
import {TscomposeError} from '../../base/errors.ts';

/** Proxies, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say. */
export interface ProxySettings {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  readonly none?: string | undefined;
}

/**
 * The proxy by which an address is reached, or undefined: by the rules that Go has, and so Docker
 * (golang.org/x/net/http/httpproxy). What is on this machine is never behind one. Throws `invalid` for a proxy whose address is
 * none; it is not shown, since it may hold a password.
 */
export function proxyFor({protocol, hostname, port}: URL, {http, https, none = ''}: ProxySettings): string | undefined {
  const isSecure = protocol === 'https:';
  const text = (isSecure ? https : http)?.trim();
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const target = {host, port: port || (isSecure ? '443' : '80')};
  if (!text || isOfThisMachine(host) || none.split(',').some((entry) => covers(entry.trim().toLowerCase(), target)))
    return undefined;
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address;
  throw new TscomposeError('invalid', `${isSecure ? 'HTTPS_PROXY' : 'HTTP_PROXY'} is no address of a proxy`, {
    hint: 'write http://HOST:PORT, or https://',
  });
}

interface Target {
  readonly host: string;
  readonly port: string;
}

function isOfThisMachine(host: string): boolean {
  return host === 'localhost' || isWithin(host, '127.0.0.0/8') || isWithin(host, '::1/128');
}

/** An entry of NO_PROXY: `*`, an address, addresses (`10.0.0.0/8`), a domain with what is below it, or only that (`.example`). */
function covers(entry: string, {host, port}: Target): boolean {
  if (entry === '' || entry === '*') return entry === '*';
  if (entry.includes('/')) return isWithin(host, entry);
  const [, name = '', wanted] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (wanted !== undefined && wanted !== port) return false;
  const bare = name.replace(/^\[(.*)\]$/, '$1').replace(/^\*(?=\.)/, '');
  if (isIP(bare) !== 0) return isWithin(host, `${bare}/${isIP(bare) === 4 ? 32 : 128}`);
  return bare.startsWith('.') ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`);
}

function isWithin(host: string, block: string): boolean {
  const [network = '', bits = ''] = block.split('/');
  const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
  if (isIP(host) === 0 || isIP(host) !== isIP(network) || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 'ipv4' ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family);
  return list.check(host, family);
}
