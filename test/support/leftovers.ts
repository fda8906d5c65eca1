import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';

interface Identity {
  readonly root: string;
  readonly run: string;
  readonly cgroupParent: string;
  readonly namespace: string;
}

export interface LeftoverOptions {
  /** Processes are known to run: nobody has to wait for their end. */
  readonly running?: boolean;
}

/**
 * What a project left on a test host after `down -v`: processes, mounts, interfaces, firewall objects, cgroups,
 * directories, names, held locks and listening ports. Images stay, they belong to no project.
 */
export function leftovers(host: Identity, {running = false}: LeftoverOptions = {}): string[] {
  return [
    ...(running ? processes(host) : lastingProcesses(host)),
    ...mounts(host),
    ...interfaces(host),
    ...firewall(host),
    ...cgroups(host),
    ...directories(host),
    ...ports(host),
  ];
}

function inNamespace(host: Identity, program: string, ...args: readonly string[]): string {
  const result = spawnSync('nsenter', [`--net=/run/netns/${host.namespace}`, '--', program, ...args], {
    encoding: 'utf8',
  });
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.stderr || String(result.error)}`);
  return result.stdout;
}

/** Every process in the host's own namespace or in one of its cgroups: monitors, their children, containers. */
function processes(host: Identity): string[] {
  const own = String(statSync(`/run/netns/${host.namespace}`).ino);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const inCgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${host.cgroupParent}`);
        const inNetwork = String(statSync(`/proc/${pid}/ns/net`).ino) === own;
        if (!inCgroup && !inNetwork) return [];
        const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
        return [`process ${pid}: ${name}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`];
      } catch {
        return [];
      }
    });
}

/** Whoever is told that all is over may look before the last process has come to its end. */
function lastingProcesses(host: Identity): string[] {
  for (const end = Date.now() + 10_000; ; ) {
    const found = processes(host);
    if (found.length === 0 || Date.now() > end) return found;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}

function mounts(host: Identity): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(host.root) || line.includes(`${host.run}/`))
    .map((line) => `mount ${line}`);
}

function interfaces(host: Identity): string[] {
  const links = JSON.parse(inNamespace(host, 'ip', '-j', 'link', 'show')) as readonly {readonly ifname: string}[];
  return links.filter((link) => link.ifname !== 'lo').map((link) => `interface ${link.ifname}`);
}

function firewall(host: Identity): string[] {
  return inNamespace(host, 'nft', 'list', 'ruleset')
    .split('\n')
    .filter((line) => line.includes('tscompose') || line.includes('tsb'))
    .map((line) => `firewall ${line.trim()}`);
}

function cgroups(host: Identity): string[] {
  const found: string[] = [];
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, {withFileTypes: true})) {
      if (!entry.isDirectory()) continue;
      found.push(`cgroup ${join(directory, entry.name)}`);
      walk(join(directory, entry.name));
    }
  };
  const hierarchies = ['', ...readdirSync('/sys/fs/cgroup')].map((name) =>
    join('/sys/fs/cgroup', name, host.cgroupParent),
  );
  for (const directory of hierarchies) {
    if (!existsSync(directory)) continue;
    found.push(`cgroup ${directory}`);
    walk(directory);
  }
  return found;
}

/** Directories that hold one entry a thing; locks files themselves are allowed to stay, held ones are not. */
function directories(host: Identity): string[] {
  const places = [
    join(host.root, 'containers'),
    join(host.root, 'names'),
    join(host.root, 'networks'),
    join(host.root, 'volumes'),
    join(host.run, 'containers'),
    join(host.run, 'networks'),
  ];
  const entries = places.flatMap((place) =>
    existsSync(place) ? readdirSync(place).map((name) => `directory ${join(place, name)}`) : [],
  );
  return [...entries, ...locks(host)];
}

function locks(host: Identity): string[] {
  const directory = join(host.root, 'locks');
  if (!existsSync(directory)) return [];
  // `08:01:4711`: device and inode.
  const held = readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .map((line) => line.split(/\s+/)[5] ?? '');
  const perProject = readdirSync(directory).filter((name) => /^(project|network|container)-/.test(name));
  return [
    ...perProject.map((name) => `lock file ${name}`),
    ...readdirSync(directory)
      .filter((name) => isAmong(held, join(directory, name)))
      .map((name) => `held lock ${name}`),
  ];
}

function isAmong(held: readonly string[], path: string): boolean {
  const found = statSync(path, {throwIfNoEntry: false});
  if (found === undefined) return false;
  const hex = (number: number) => number.toString(16).padStart(2, '0');
  const [major, minor] = [(found.dev >> 8) & 0xfff, (found.dev & 0xff) | ((found.dev >> 12) & 0xfff00)];
  // A file system without a disk of its own may go by several numbers.
  const device = major === 0 ? '00:' : `${hex(major)}:${hex(minor)}:`;
  return held.some((lock) => lock.startsWith(device) && lock.endsWith(`:${found.ino}`));
}

function ports(host: Identity): string[] {
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((protocol) =>
    inNamespace(host, 'cat', `/proc/net/${protocol}`)
      .split('\n')
      .slice(1)
      .filter((line) => line.trim() !== '' && (protocol.startsWith('udp') || line.trim().split(/\s+/)[3] === '0A'))
      .map((line) => `listening ${protocol} ${line.trim().split(/\s+/)[1]}`),
  );
}
