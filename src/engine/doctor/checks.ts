import type {MachineFacts, Setting} from './facts.ts';

export type Status = 'ok' | 'warning' | 'problem';

/** What a check found: `problem` keeps containers from running, `warning` keeps something of theirs from working. */
export interface Finding {
  readonly status: Status;
  readonly detail: string;
  /** What a person can do. */
  readonly fix?: string;
}

interface Check {
  readonly name: string;
  /** Only for who is not root. */
  readonly rootless?: true;
  readonly look: (facts: MachineFacts) => Finding;
}

const ok = (detail: string): Finding => ({status: 'ok', detail});
const warning = (detail: string, fix: string): Finding => ({status: 'warning', detail, fix});
const problem = (detail: string, fix: string): Finding => ({status: 'problem', detail, fix});

const oldestKernel = [5, 15] as const;
const leastFreeBytes = 512 * 1024 * 1024;
const leastFreeInodes = 20_000;
/** So many files each container with a watching program takes; the kernel's own default is 128. */
const fewInotifyInstances = 256;
const fewInotifyWatches = 65_536;
/** An entry or two for each container on a network. */
const fewNeighbours = 1024;
/** Of file systems on which an overlay cannot have its upper directory (statfs(2)). */
const unfitForOverlay: Readonly<Record<number, string>> = {
  26985: 'NFS',
  2035054128: 'overlay',
  4283649346: 'CIFS',
  1702057286: 'FUSE',
  19780: 'FAT',
};
/** The release day of the first version: no clock is right that is before it. */
const firstRelease = Date.UTC(2025, 0, 1);

const setting = ({settings}: MachineFacts, name: Setting): number | undefined =>
  settings[name] === undefined ? undefined : Number(settings[name]);
const sysctl = (name: Setting, value: number | string): string =>
  `sudo sysctl -w ${name.replaceAll('/', '.')}=${value}`;

/** Every check, in the order in which they are shown. */
export const checks: readonly Check[] = [
  {
    name: 'kernel',
    look: ({kernel}) => {
      const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
      const isOld = major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1]);
      return isOld ? problem(`Linux ${kernel} is older than 5.15`, 'install a newer kernel') : ok(`Linux ${kernel}`);
    },
  },
  {
    name: 'overlay',
    look: ({fileSystems}) =>
      fileSystems.includes('overlay')
        ? ok('the kernel has overlayfs')
        : problem('the kernel has no overlayfs, or has not loaded it', 'sudo modprobe overlay'),
  },
  {
    name: 'user namespaces',
    rootless: true,
    look: (facts) => {
      if (setting(facts, 'kernel/unprivileged_userns_clone') === 0)
        return problem('only root may make user namespaces', sysctl('kernel/unprivileged_userns_clone', 1));
      if (setting(facts, 'kernel/apparmor_restrict_unprivileged_userns') === 1)
        return problem(
          'AppArmor lets only named programs make user namespaces',
          sysctl('kernel/apparmor_restrict_unprivileged_userns', 0),
        );
      const most = setting(facts, 'user/max_user_namespaces');
      if (most === undefined)
        return problem('the kernel has no user namespaces', 'install a kernel with CONFIG_USER_NS');
      return most === 0
        ? problem('no user namespace may be made', sysctl('user/max_user_namespaces', 15_000))
        : ok(`up to ${most}`);
    },
  },
  {
    name: 'ids',
    rootless: true,
    look: ({ids, programs}) => {
      if (ids > 1) return ok(`${ids} user ids for containers`);
      const detail = 'containers have a single id: images with other users than root do not run';
      return programs.newuidmap
        ? warning(detail, 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"')
        : warning(detail, 'install newuidmap and newgidmap (package uidmap), and see that /etc/subuid names this user');
    },
  },
  {
    name: 'outbound',
    rootless: true,
    look: ({programs, tun}) => {
      if (programs.outbound === undefined)
        return warning(
          'neither pasta nor slirp4netns: containers reach nothing outside',
          'install pasta (package passt)',
        );
      return tun
        ? ok(`through ${programs.outbound}`)
        : warning(`${programs.outbound} cannot open /dev/net/tun`, 'sudo modprobe tun && sudo chmod 666 /dev/net/tun');
    },
  },
  {
    name: 'cgroups',
    look: ({userId, cgroups: {version, controllers}}) => {
      const wanted = ['cpu', 'memory', 'pids'];
      const missing = wanted.filter((name) => !controllers.includes(name));
      if (version === 0 && userId === 0)
        return problem('no cgroup hierarchy is mounted', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup');
      if (missing.length === 0) return ok(`version ${version}: ${controllers.join(' ')}`);
      if (userId === 0)
        return warning(
          `no controller ${missing.join(', ')}: such limits are refused`,
          'start the kernel with cgroup_enable=memory',
        );
      if (version !== 2)
        return warning(
          `no limits: cgroups of version ${version} are not given to users`,
          'start the kernel with systemd.unified_cgroup_hierarchy=1, or use --allow-missing-limits',
        );
      return warning(
        `no limits for ${missing.join(', ')}: this session was given no such controller`,
        'run "systemd-run --user --scope -p Delegate=yes tscompose …", or use --allow-missing-limits',
      );
    },
  },
  {
    name: 'ports',
    rootless: true,
    look: (facts) => {
      const first = setting(facts, 'net/ipv4/ip_unprivileged_port_start') ?? 1024;
      return first <= 80
        ? ok(`from ${first}`)
        : warning(`ports below ${first} cannot be published`, sysctl('net/ipv4/ip_unprivileged_port_start', 80));
    },
  },
  {
    name: 'firewall',
    look: (facts) => {
      if (facts.userId !== 0) return ok('that of this machine does not concern networks of a user');
      if (facts.legacyTables.trim() !== '')
        return warning(
          'rules of iptables-legacy are in use, which are not seen here',
          'see that they let bridges pass: iptables-legacy -I FORWARD -i tsb+ -j ACCEPT',
        );
      return setting(facts, 'net/bridge/bridge-nf-call-iptables') === 1
        ? ok('packets within a network pass through the firewall too (bridge-nf-call-iptables)')
        : ok('nothing stands in the way');
    },
  },
  {
    name: 'disk',
    look: ({disk: {root, freeBytes, freeInodes, type}}) => {
      const unfit = unfitForOverlay[type];
      const elsewhere = 'choose another root: --root or TSCOMPOSE_ROOT';
      if (unfit !== undefined) return problem(`${root} is on ${unfit}, where no overlay can be`, elsewhere);
      const free = `${Math.floor(freeBytes / 1024 / 1024)} MiB free`;
      if (freeBytes < leastFreeBytes) return problem(`${root}: ${free}`, `remove what is not needed, or ${elsewhere}`);
      return freeInodes !== undefined && freeInodes < leastFreeInodes
        ? problem(`${root}: ${freeInodes} files more can be made`, `remove what is not needed, or ${elsewhere}`)
        : ok(`${root}: ${free}`);
    },
  },
  {
    name: 'inotify',
    look: (facts) => {
      const instances = setting(facts, 'fs/inotify/max_user_instances') ?? 0;
      const watches = setting(facts, 'fs/inotify/max_user_watches') ?? 0;
      if (instances < fewInotifyInstances)
        return warning(
          `${instances} instances: few for many containers that watch files`,
          sysctl('fs/inotify/max_user_instances', 1024),
        );
      return watches < fewInotifyWatches
        ? warning(`${watches} watches: few for large source trees`, sysctl('fs/inotify/max_user_watches', 524_288))
        : ok(`${instances} instances, ${watches} watches`);
    },
  },
  {
    name: 'neighbours',
    look: (facts) => {
      const most = setting(facts, 'net/ipv4/neigh/default/gc_thresh3');
      if (most === undefined) return ok('the limit belongs to another network namespace');
      return most < fewNeighbours
        ? warning(
            `the table holds ${most} entries: too few for hundreds of containers`,
            sysctl('net/ipv4/neigh/default/gc_thresh3', 8192),
          )
        : ok(`the table holds ${most} entries`);
    },
  },
  {
    name: 'clock',
    look: ({now}) =>
      now < firstRelease
        ? problem(
            `it says ${new Date(now).toISOString()}: certificates of registries are not valid yet`,
            'set the clock',
          )
        : ok(new Date(now).toISOString()),
  },
];

export interface NamedFinding extends Finding {
  readonly check: string;
}

/** What all checks that concern this user find. */
export function diagnose(facts: MachineFacts): readonly NamedFinding[] {
  return checks
    .filter(({rootless}) => !rootless || facts.userId !== 0)
    .map(({name, look}) => ({check: name, ...look(facts)}));
}
