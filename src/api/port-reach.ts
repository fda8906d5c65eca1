/**
 * Where a published port is bound when its binding names no address: `all` (as Docker does), `loopback`, or an address.
 */
export type PublishAddress = 'all' | 'loopback' | (string & {});

/** The IPv4 and IPv6 addresses that a binding means. IPv6 is left out where a single IPv4 address is named. */
export function boundAddresses(
  hostAddress: string | undefined,
  publishAddress: PublishAddress = 'all',
): readonly string[] {
  const given = (hostAddress ?? '').replace(/^\[(.*)\]$/, '$1');
  if (given !== '') return [given];
  if (publishAddress === 'all') return ['0.0.0.0', '::'];
  if (publishAddress === 'loopback') return ['127.0.0.1', '::1'];
  return [publishAddress];
}

/** Whether other machines reach a port on this address: all but those of the loopback interface. */
export function isReachableFromOutside(address: string): boolean {
  return !address.startsWith('127.') && address !== '::1';
}
