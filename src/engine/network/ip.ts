import {isIPv4, isIPv6} from 'node:net';

/** An IPv4 or IPv6 address as a number of 32 or 128 bits. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** A block of addresses: `value` has no bits beyond `length`. */
export interface Prefix extends Address {
  readonly length: number;
}

export function bitsOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** Undefined for anything but a plain address (no zone, no prefix length). */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return {family: 4, value: fromIpv4(text)};
  if (!isIPv6(text) || text.includes('%')) return undefined;
  return {family: 6, value: fromIpv6(text)};
}

function fromIpv4(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function fromIpv6(text: string): bigint {
  // The last 32 bits may be written as an IPv4 address.
  const dotted = /^(.*:)([\d.]+)$/.exec(text);
  const plain =
    dotted?.[1] !== undefined && dotted[2]?.includes('.')
      ? `${dotted[1]}${(fromIpv4(dotted[2]) >> 16n).toString(16)}:${(fromIpv4(dotted[2]) & 0xffffn).toString(16)}`
      : text;
  const [head = '', tail] = plain.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({length: 8 - before.length - after.length}, () => '0');
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** `10.0.0.0/8`; the bits beyond the length are kept in `address`, so that a caller can refuse them. */
export function parsePrefix(text: string): (Prefix & {readonly address: Address}) | undefined {
  const split = text.indexOf('/');
  const address = split < 0 ? undefined : parseAddress(text.slice(0, split));
  const digits = text.slice(split + 1);
  if (!address || !/^\d{1,3}$/.test(digits) || Number(digits) > bitsOf(address.family)) return undefined;
  return {...prefixOf(address, Number(digits)), address};
}

/** The block of a length that holds the address. */
export function prefixOf({family, value}: Address, length: number): Prefix {
  const hostBits = BigInt(bitsOf(family) - length);
  return {family, value: (value >> hostBits) << hostBits, length};
}

export function formatAddress({family, value}: Address): string {
  return family === 4 ? bytesOf({family, value}).join('.') : formatIpv6(value);
}

/** RFC 5952: lower case, the longest run of two or more zero groups is left out. */
function formatIpv6(value: bigint): string {
  const groups = Array.from({length: 8}, (_, index) => ((value >> BigInt(16 * (7 - index))) & 0xffffn).toString(16));
  let best = {start: 0, length: 1};
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (groups[start + length] === '0') length += 1;
    if (length > best.length) best = {start, length};
  }
  if (best.length < 2) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.length}`;
}

/** In network order. */
export function bytesOf({family, value}: Address): Uint8Array {
  const size = bitsOf(family) / 8;
  return Uint8Array.from({length: size}, (_, index) => Number((value >> BigInt(8 * (size - 1 - index))) & 0xffn));
}

export function addressFromBytes(bytes: Uint8Array): Address {
  return {
    family: bytes.length === 4 ? 4 : 6,
    value: bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n),
  };
}

export function contains(prefix: Prefix, address: Address): boolean {
  return address.family === prefix.family && prefixOf(address, prefix.length).value === prefix.value;
}

/** True where `inner` lies in `outer` or is the same. */
export function covers(outer: Prefix, inner: Prefix): boolean {
  return inner.length >= outer.length && contains(outer, inner);
}

export function overlap(a: Prefix, b: Prefix): boolean {
  return covers(a, b) || covers(b, a);
}

export function lastOf({family, value, length}: Prefix): Address {
  return {family, value: value | ((1n << BigInt(bitsOf(family) - length)) - 1n)};
}

export function isLoopback(address: Address): boolean {
  return address.family === 4 ? address.value >> 24n === 127n : address.value === 1n;
}

export function isUnspecified(address: Address): boolean {
  return address.value === 0n;
}
