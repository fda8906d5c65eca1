/** Where this engine is meant to differ from Docker, or what depends on the machine: replaced or left out on both sides. */
export interface Difference {
  /** Path of the fact: `stack/services/name/fact`. */
  readonly at: RegExp;
  readonly line: RegExp;
  /** Absent: the line is left out. */
  readonly to?: string;
  readonly reason: string;
  /**
   * It is the machine that differs, so there may be nothing to see: `anywhere`, or only `elsewhere` than where the
   * recording was made (another kernel, cgroups mounted in another way).
   */
  readonly machine?: 'anywhere' | 'elsewhere';
}

export const differences: readonly Difference[] = [
  {
    at: /\/process$/,
    line: /^(\d+:[^:]*:)\/(docker\/<id>)?$/,
    to: '$1/own',
    reason: 'a cgroup namespace of its own also on cgroup v1: where it lies on the machine is not told',
  },
  {
    at: /\/mounts$/,
    line: /^(\/sys\/fs\/cgroup\/\S+) (?:\/docker\/<id>|\/) /,
    to: '$1 own ',
    reason: 'the same, seen in the mounts',
  },
  {
    at: /\/mounts$/,
    line: /^(\/(?:proc|sys)\/\S+) (?:\/ ro,relatime private tmpfs tmpfs ro,size=4k,nr_inodes=1|\/empty ro,nosuid,nodev,noexec,relatime private tmpfs tmpfs rw,mode=755)$/,
    to: '$1 hidden behind an empty read-only directory',
    reason: 'of one memory file system that all hidden directories share and nobody can write to',
  },
  {
    at: /\/mounts$/,
    line: /^(\/(?:proc|sys)\/\S+) \/null (?:rw,nosuid private tmpfs tmpfs rw,size=65536k,mode=755|ro,nosuid,noexec,relatime private devtmpfs devtmpfs \S+)$/,
    to: '$1 hidden behind a null device',
    reason: "the machine's, read-only: what stands at /dev/null in an image is not trusted",
  },
  {
    at: /\/names$/,
    line: /^# /,
    reason: 'resolv.conf has no comments about who made it',
  },
  {
    at: /\/(?:names|root)$/,
    line: /\.dockerenv/,
    reason: 'the mark says that Docker runs the container, which is not so',
  },
  {
    at: /\/network$/,
    line: /qdisc noqueue (?:qlen 1000)?(?=\\)/,
    to: 'qdisc noqueue',
    reason: 'the length of a queue that there is none of',
  },
  {
    at: /\/process$/,
    line: /^first process: (?:\/sbin\/docker-init -- .*|tscompose-helper monitor )$/,
    to: 'first process: init',
    reason: 'the init is the helper itself, which needs no file in the container',
  },
  {
    at: /\/(?:init|stays)?[^/]*\/process$/,
    line: /^SigIgn:\t0000000000(?:300000|001000)$/,
    to: 'SigIgn: of init',
    reason: 'the init takes no terminal signals, and has no use for SIGPIPE',
  },
  {
    at: /\/limits$/,
    line: /^Max (?:core file size|processes|open files|locked memory|pending signals) .*$/,
    to: 'a limit that is inherited',
    reason: "what is not set comes from the engine's service there, from the caller here",
    machine: 'anywhere',
  },
  {
    at: /^users\/services\/added\/status$/,
    line: /^(Groups:\t33 44 50) 50 1000 $/,
    to: '$1 1000 ',
    reason: 'a group that is named twice is had once',
  },
  {
    at: /^users\/services\/added\/status$/,
    line: /^(uid=.*,50\(staff\)),50\(staff\)/,
    to: '$1',
    reason: 'the same, as id tells it',
  },
  {
    at: /^users\/execs\/.*\/code$/,
    line: /^(?:1|125)$/,
    to: 'the process was not started',
    reason: '125 tells it apart from a process that ended with 1',
  },
  {
    at: /^environment\/services\/directory-is-file\/state$/,
    line: /^(?:|created 0)$/,
    to: 'did not start',
    reason: 'the working directory is made at the start, there when the container is created',
  },
  {
    at: /^environment\/starts\/directory-relative$/,
    line: /^(?:1|65)$/,
    to: 'refused',
    reason: 'a stack that asks for what cannot be has an exit code of its own',
  },
  {
    at: /^exits\/execs\/.*\/output$/,
    line: /^OCI runtime exec failed: /,
    reason: 'why a command could not be executed is told as an error, not as output of the command',
  },
  {
    at: /^exits\/execs\/relative directory\/code$/,
    line: /^(?:128|65)$/,
    to: 'refused',
    reason: 'wrong use has an exit code of its own',
  },
  {
    at: /^exits\/services\/(?:missing|not-executable)-with-init\//,
    line: /^\[FATAL tini /,
    reason: 'no program of the container speaks for the engine',
  },
  {
    at: /^exits\/services\/(?:missing|not-executable)-with-init\//,
    line: /^(?:exited 12[67]|created 0)$/,
    to: 'cannot be executed',
    reason: 'under init, too, a start succeeds only once the command was executed',
  },
  {
    at: /^exits\/starts\/(?:missing|not-executable)-with-init$/,
    line: /^[01]$/,
    to: 'cannot be executed',
    reason: 'the same',
  },
  {
    at: /^(?:exits\/starts\/no-command|files\/starts\/(?:bind-missing|over-root)|limits\/starts\/(?:memory-too-small|sysctl-host-network|sysctl-of-machine|ulimit-unknown))$/,
    line: /^(?:1|65)$/,
    to: 'refused',
    reason: 'a stack that asks for what cannot be has an exit code of its own',
  },
  {
    at: /^files\/(?:starts|services)\/over-dev(?:\/|$)/,
    line: /^/,
    reason:
      "a volume at /dev without a null device: runc takes that device to hide files with, the machine's serves here",
  },
  {
    at: /^files\/services\/.*\/(?:volumes|mounts)$/,
    line: /^(\S+ …\/data \S+) (?:master:\d+|private) machine$/,
    to: '$1 machine',
    reason: 'what is mounted into a volume on the machine later does not appear in the container',
  },
  {
    at: /^files\/services\/tmpfs-.*\/volumes$/,
    line: /^(\S+ \/ ro,\S+ private tmpfs tmpfs) r[ow]/,
    to: '$1 ro',
    reason: 'a read-only memory file system is read-only itself, not only its mount',
  },
  {
    at: /^files\/services\/volume-copied-up\/output$/,
    line: /^mtab$/,
    reason: 'it is no part of the image, so it is not copied',
  },
  {
    at: /^files\/services\/secrets\/output$/,
    line: /^(\S+ regular file) \d+ /,
    to: '$1 ',
    reason:
      'secrets and configs have the mode that was asked for, and 0444 else; Compose ignores it and shows the file of the machine',
  },
  {
    at: /^limits\/services\/(?:sysctl-host-network|sysctl-of-machine|ulimit-unknown)\/state$/,
    line: /^(?:created 0|)$/,
    to: 'refused',
    reason: 'known before the start, so no container is made that cannot start',
  },
  {
    at: /^networking\/services\/extra\/output$/,
    line: /^(?:172\.17\.0\.1|10\.97\.65\.1)\tgateway$/,
    to: 'the machine\tgateway',
    reason: "the machine's address on the container's own network: there is no further bridge for it",
  },
  {
    at: /^states\/inspect\/.*\/shape$/,
    line: /^Config\.Labels\.io\.tscompose\.spec string$/,
    reason: 'what a container was made from, for the next up',
  },
  {
    at: /^states\/inspect\/.*\/shape$/,
    line: /^(?:Config\.OnBuild|Config\.Volumes|NetworkSettings\.Networks\.\w\S*\.Links|HostConfig\.Mounts) list$|^GraphDriver\.Data\.ID string$/,
    reason: 'empty, or of the storage driver alone; mounts come in another of the two forms of the API',
  },
  {
    at: /^states\/inspect\/.*\/values$/,
    line: /^HostConfig\.(?:CgroupnsMode "(?:host|private)"|Runtime "(?:runc|tscompose)")$/,
    reason: 'another runtime, and a cgroup namespace of its own also on cgroup v1',
  },
  {
    at: /^states\/inspect\/.*\/values$/,
    line: /^NetworkSettings\.Networks \{"none":.*$/,
    to: 'NetworkSettings.Networks none',
    reason: 'no network has no id',
  },
  {
    at: /^states\/inspect\/.*\/values$/,
    line: /"9000(?:\/tcp)?":\{\},|,"9000(?:\/tcp)?":\{\}/,
    to: '',
    reason: 'a port without a protocol is one of TCP, and is shown as such',
  },
  {
    at: /^states\/inspect\/.*\/values$/,
    line: /"Mode":"(?:rw|z)",(.*)"Mode":"(?:ro)?",/,
    to: '$1',
    reason: 'the words of the short form, where the mounts come in the long one',
  },
  {
    at: /\/(?:mounts|volumes)$/,
    line: /^(?:\/proc\/(?!bus |fs |irq |sys )|\/sys\/)/,
    reason: 'which files there are to hide, and how cgroups are mounted',
    machine: 'elsewhere',
  },
  {
    at: /\/process$/,
    line: /^\d+:/,
    reason: 'how cgroups are mounted',
    machine: 'elsewhere',
  },
  {
    at: /\/masked$/,
    line: /^\/(?:proc\/(?!bus |fs |irq |sys|self\/)|sys\/)|^Read-only file system$/,
    reason: 'which files the kernel has',
    machine: 'elsewhere',
  },
  {
    at: /^confinement\/services\/all[^/]*\/status$/,
    line: /^Cap/,
    reason: 'which capabilities the kernel has',
    machine: 'elsewhere',
  },
  {
    at: /\/sysctls$/,
    line: /^(?:kernel|fs|net\.core|net\.ipv[46]\.conf)\./,
    reason: "the machine's own settings",
    machine: 'elsewhere',
  },
  {
    at: /^limits\/services\/.*\/output$/,
    line: /^(?:\w+\/)?(?:memory|cpu|pids|cpuset)\.|^[abc] /,
    reason: 'the files of another version of cgroups',
    machine: 'elsewhere',
  },
];
