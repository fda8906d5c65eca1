import {readdirSync, readFileSync, statSync} from 'node:fs';

const allPids = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

function readOr(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Everything that the built-in engine keeps running beside the containers' own processes, which start with `program`. */
export const ourOverhead = (cgroupParent, program) =>
  allPids().filter(
    (pid) =>
      readOr(`/proc/${pid}/cgroup`).includes(`/${cgroupParent}`) &&
      !readOr(`/proc/${pid}/cmdline`).startsWith(`${program}\0`),
  );

/** The same of the real engine in its network namespace. */
export function dockerOverhead() {
  const own = statSync('/run/netns/tscompose-oracle').ino;
  return allPids().filter((pid) => {
    const name = readOr(`/proc/${pid}/comm`).trim();
    if (!['dockerd', 'containerd', 'containerd-shim', 'docker-proxy'].includes(name)) return false;
    try {
      return statSync(`/proc/${pid}/ns/net`).ino === own;
    } catch {
      return false;
    }
  });
}

/** Kilobytes: all that they have in memory, and their share of what they have together with others. */
export function memoryOf(pids) {
  let resident = 0;
  let proportional = 0;
  for (const pid of pids) {
    const text = readOr(`/proc/${pid}/smaps_rollup`);
    resident += Number(/^Rss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    proportional += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  }
  return {resident, proportional};
}
