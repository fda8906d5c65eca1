import {sha256Hex} from '../../base/canonical-json.ts';
import {TscomposeError} from '../../base/errors.ts';
import {type Address, bytesOf} from './ip.ts';

/**
 * The link address of a container: from its IPv4 address where it has one. An address that is given again to another
 * container then has the same link address, and what neighbours remember of it stays true.
 */
export function macFor(addresses: readonly Address[], containerId: string): string {
  const ipv4 = addresses.find(({family}) => family === 4);
  const last = ipv4 ? bytesOf(ipv4) : Buffer.from(sha256Hex(`${containerId}${addresses[0]?.value}`).slice(0, 8), 'hex');
  return formatMac(Uint8Array.of(0x02, 0x42, ...last));
}

function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Throws `invalid` for anything but the address of one interface. */
export function parseMac(text: string): Uint8Array {
  const parts = text.split(/[:-]/);
  const bytes = Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
  const wellFormed = parts.length === 6 && parts.every((part) => /^[0-9a-fA-F]{2}$/.test(part));
  const first = bytes[0] ?? 1;
  if (!wellFormed || (first & 1) === 1 || bytes.every((byte) => byte === 0)) {
    throw new TscomposeError('invalid', `"${text}" is not a MAC address of an interface, such as 02:42:ac:11:00:02`);
  }
  return bytes;
}

export function normaliseMac(text: string): string {
  return formatMac(parseMac(text));
}
