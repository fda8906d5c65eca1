/** A file beneath `test`, and the name of a test or of a group of tests in it. */
export type TestName = readonly [file: string, name: string];

export interface AttackRow {
  readonly attack: string;
  readonly defence: string;
  /** Against the engine of root. */
  readonly root: readonly TestName[];
  /** Against the engine of an ordinary user; or why there is nothing of that kind to attack. */
  readonly user: readonly TestName[] | {readonly cannot: string};
}

const both = (...tests: readonly TestName[]) => ({root: tests, user: tests});

/** Every known attack that the engine is tested against, and by which tests (rows.test.ts: that they are there). */
export const attackRows: readonly AttackRow[] = [
  {
    attack: 'descriptors that leak into a container, as its working directory (CVE-2024-21626)',
    defence: 'all are closed before the directory is entered, and the place is looked at after',
    ...both(['e2e/attacks-files.test.ts', 'descriptors that were left open (CVE-2024-21626)']),
  },
  {
    attack: 'the engine’s program, overwritten by way of /proc/PID/exe (CVE-2019-5736)',
    defence: 'it runs from a sealed copy, and nobody may look into its process',
    ...both([
      'e2e/attacks-programs.test.ts',
      'the engine’s program is neither overwritten nor looked into while it starts processes (CVE-2019-5736)',
    ]),
  },
  {
    attack: 'a mount target that is swapped for a link meanwhile (CVE-2021-30465)',
    defence: 'targets are opened beneath the root, and mounts are moved to what was opened',
    ...both(
      [
        'e2e/attacks-files.test.ts',
        'a mount target that another container swaps for a link meanwhile (CVE-2021-30465)',
      ],
      [
        'e2e/attacks-engine.test.ts',
        'mounts the part of a volume that was asked for, or nothing, while somebody swaps it for a link',
      ],
      ['e2e/attacks-engine.test.ts', 'mounts nothing of the machine for the part "%s" of an image'],
    ),
  },
  {
    attack: 'links in an image beneath /dev: null for masked paths, the console (CVE-2025-31133, CVE-2025-52565)',
    defence: 'masks are the machine’s null device by descriptor; the terminal is its own peer',
    ...both(
      [
        'e2e/attacks-files.test.ts',
        'beneath /dev: what is there is covered, and the console is the container’s terminal (CVE-2025-31133, CVE-2025-52565)',
      ],
      [
        'e2e/attacks-kernel.test.ts',
        "the machine's null device stands behind masked files and spare streams, and cannot be changed through them",
      ],
    ),
  },
  {
    attack: 'something mounted at /proc, so that writes go astray (CVE-2025-52881, CVE-2019-19921, CVE-2019-16884)',
    defence: 'nothing is mounted there, and the engine writes to a procfs of its own',
    ...both(['e2e/attacks-files.test.ts', "mounts at the container's /proc (CVE-2019-16884, CVE-2025-52881)"]),
  },
  {
    attack: 'an image whose /dev, /proc or /sys is a link (CVE-2026-41579, CVE-2026-47766)',
    defence: 'these are opened without following links',
    ...both(['e2e/attacks-files.test.ts', 'an image whose directories lead out']),
  },
  {
    attack: 'users that parse to root (CVE-2026-30892)',
    defence: 'a user is a whole number of 31 bits, or a name',
    ...both(['e2e/attacks-users.test.ts', 'user "%s" is nobody, and not root (CVE-2026-30892)']),
  },
  {
    attack: 'copies that race against the container (CVE-2018-15664, CVE-2026-41568, CVE-2026-42306)',
    defence: 'each path is opened beneath the container’s root',
    root: [
      ['e2e/attacks-copies.test.ts', 'a container that swaps a directory for a link (CVE-2018-15664, CVE-2026-41568)'],
      ['e2e/attacks-engine.test.ts', 'makes images and archives of a container that lays traps of nothing but its own'],
    ],
    user: [
      ['e2e/attacks-engine.test.ts', 'makes images and archives of a container that lays traps of nothing but its own'],
    ],
  },
  {
    attack: 'programs and libraries of the container, run or loaded for a copy (CVE-2019-14271, CVE-2026-41567)',
    defence: 'archives are taken apart in the engine’s own processes',
    root: [
      [
        'e2e/attacks-copies.test.ts',
        'nothing of the container is executed or loaded for a copy (CVE-2019-14271, CVE-2026-41567)',
      ],
    ],
    user: [
      ['e2e/attacks-engine.test.ts', 'makes images and archives of a container that lays traps of nothing but its own'],
    ],
  },
  {
    attack: 'lists of users that are pipes, devices, links or endless (CVE-2024-9676, CVE-2023-0778, CVE-2022-1227)',
    defence: 'they are opened beneath the root without waiting, and must be files of a reasonable size',
    ...both(['e2e/attacks-users.test.ts', 'user files that are traps (CVE-2024-9676, CVE-2023-0778)']),
  },
  {
    attack: 'archives with names and links that lead out, whiteouts, bombs',
    defence: 'each entry is made beneath the root, and sizes are limited',
    root: [
      ['native/unpack.test.ts', 'hostile archives'],
      ['e2e/attacks-images.test.ts', 'archives of images'],
    ],
    user: [['e2e/attacks-images.test.ts', 'archives of images']],
  },
  {
    attack: 'manifests that are two things, blobs that are not what their digest says (CVE-2021-41190, CVE-2024-3727)',
    defence: 'the form must be that of the media type, and every digest and size is checked',
    root: [
      [
        'engine/image/load.test.ts',
        'blobs that are not what they are called, and manifests that are two things, are refused',
      ],
    ],
    user: {cannot: 'they are read by the same code, which asks for no right: nothing in it knows who runs it'},
  },
  {
    attack:
      'settings of the machine in /proc and /sys, release_agent (CVE-2022-0492), keyrings, devices, namespaces, calls',
    defence: 'read-only and masked paths, capabilities, the filter of calls, a cgroup namespace',
    ...both(
      ['e2e/attacks-kernel.test.ts', 'what the kernel could be asked for is denied'],
      ['e2e/attacks-kernel.test.ts', 'a container sees its own processes, sockets and cgroup only'],
    ),
  },
  {
    attack: 'device files at places that lead out',
    defence: 'places are opened beneath the root, and what is there is not replaced',
    root: [
      ['e2e/attacks-devices.test.ts', 'a directory for a device that another container swaps for a link meanwhile'],
      [
        'e2e/attacks-devices.test.ts',
        'device files are made where an image’s links lead inside of it, and nowhere else (CVE-2026-41579)',
      ],
    ],
    user: {cannot: 'a user makes no device files: those of the machine are mounted, as any other mount target'},
  },
  {
    attack: 'input that is pushed into the terminal of whoever looks on (TIOCSTI)',
    defence: 'a container has a terminal of its own, or pipes',
    ...both(['e2e/attacks-programs.test.ts', 'what a container pushes into its terminal stays in it (TIOCSTI)']),
  },
  {
    attack: 'secrets in command lines, environments, records and answers',
    defence: 'they are in files that their container alone reads',
    ...both(
      ['e2e/attacks-secrets.test.ts', 'contents of secrets and configs are nowhere but in the files that are for them'],
      ['e2e/attacks-secrets.test.ts', 'names and labels with line ends and quotes forge no event and no log'],
    ),
  },
  {
    attack: 'published ports that are reached by others than they are for',
    defence: 'an address is bound only as asked, and packets for the bridge from elsewhere are dropped',
    root: [
      [
        'e2e/firewall.test.ts',
        'what is not published cannot be reached from outside, and loopback ports only from loopback',
      ],
      ['e2e/attacks-network.test.ts', 'what is published on loopback is the machine’s alone'],
    ],
    user: [['e2e/attacks-network.test.ts', 'what is published on loopback is the machine’s alone']],
  },
  {
    attack: 'other networks, false source addresses, services of the machine',
    defence: 'bridges do not forward to each other, and drop what is not from their own containers',
    root: [['e2e/attacks-network.test.ts', 'false source addresses do not get past the network of the container']],
    user: [
      ['e2e/attacks-network.test.ts', 'false source addresses do not get past the network of the container'],
      [
        'e2e/attacks-keeper.test.ts',
        'through %s, containers reach the outside and not what the machine has on its loopback',
      ],
    ],
  },
  {
    attack: 'names of other networks, forged answers, questions that are none',
    defence: 'a resolver for each container; random ids and ports; sizes are limited',
    root: [
      ['e2e/attacks-network.test.ts', 'of the own network are answered, of others not'],
      ['native/dns-forward.test.ts', 'an answer counts only with our id, our question, and from the upstream'],
      ['native/dns.test.ts', 'what is no question is refused or ignored'],
    ],
    user: [['e2e/attacks-network.test.ts', 'of the own network are answered, of others not']],
  },
  {
    attack: 'a process that is executed in a container, looked into before its program runs',
    defence: 'it cannot be traced, and nothing is looked up after the container was entered',
    root: [
      ['native/attack-exec.test.ts', 'a process of the container sees nothing of an exec before its program runs'],
      [
        'e2e/attacks-programs.test.ts',
        'the engine’s program is neither overwritten nor looked into while it starts processes (CVE-2019-5736)',
      ],
    ],
    user: [
      [
        'e2e/attacks-programs.test.ts',
        'the engine’s program is neither overwritten nor looked into while it starts processes (CVE-2019-5736)',
      ],
    ],
  },
  {
    attack: 'files of names that a container replaced, while its networks change',
    defence: 'the engine’s own files are edited, without following links, up to a size',
    ...both([
      'e2e/attacks-engine.test.ts',
      'changes the files of names where it put them, whatever a container made of its own /etc',
    ]),
  },
  {
    attack: 'sockets of the engine, opened by others; requests that are none',
    defence: 'sockets are made for their owner alone, and what is no request is refused',
    ...both(
      [
        'e2e/attacks-served.test.ts',
        'is heard by its owner alone: others of the machine find no socket of it, nor can they open one',
      ],
      ['e2e/attacks-served.test.ts', 'answers while others hold connections open with half a request'],
      ['e2e/attacks-served.test.ts', 'refuses what is no request, each for itself, and goes on'],
    ),
  },
  {
    attack: 'the process that keeps a user’s namespaces',
    defence: 'it has the user’s rights alone, shows itself to no container, and its socket only to its owner',
    root: [['e2e/attacks-kernel.test.ts', 'a container sees its own processes, sockets and cgroup only']],
    user: [['e2e/attacks-keeper.test.ts', 'the process that keeps the namespaces']],
  },
];
