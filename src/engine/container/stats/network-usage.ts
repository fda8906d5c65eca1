import type {NetworkStats} from '../../../api/types/stats.ts';
import {readKernelFile} from './read.ts';

/** The counters of the interfaces that a process sees, without its loopback (proc_pid_net(5), `dev`). */
export function readNetworkUsage(
  pid: number,
  text = readKernelFile(`/proc/${pid}/net/dev`),
): Readonly<Record<string, NetworkStats>> {
  const interfaces: Record<string, NetworkStats> = {};
  // Two lines of titles.
  for (const line of text.split('\n').slice(2)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    if (colon < 0 || name === 'lo') continue;
    const counters = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const [rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0] = counters;
    const [tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0] = counters.slice(8);
    interfaces[name] = {
      rx_bytes,
      rx_packets,
      rx_errors,
      rx_dropped,
      tx_bytes,
      tx_packets,
      tx_errors,
      tx_dropped,
    };
  }
  return interfaces;
}
