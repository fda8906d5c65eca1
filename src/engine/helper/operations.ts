import {filesOperations, type Row, unpackOperations} from './file-operations.ts';

/**
 * What the engine tells the native helper, as data. A row is one operation: its code, its arguments in order, and the
 * name of the repeated last argument if it has one. `native/src/operations.h` is generated from this table
 * (`scripts/generate-operations.mjs`) and a test fails when it is stale; `docs/native.md` explains each.
 *
 * Every argument travels as bytes; numbers as decimal text, flags as `0` or `1`, lists of flags with commas. Paths
 * named `target` are inside the container and resolved by the helper beneath its root; all others are the machine's.
 */

/**
 * First record of any stream: namespaces that the helper enters before anything else. Empty: stay. `use`: a lock that is
 * taken shared before, and held for life, by monitors too. `keeper`: the lock of the process that holds the namespaces; where
 * that is free, the answer is `notFound`.
 */
const enterOperations = {
  enter: {code: 1, args: ['user', 'mount', 'net', 'use', 'keeper']},
} as const satisfies Record<string, Row>;

/** What the process that holds a user's namespaces is told (`keeper`, docs/rootless.md). */
const keeperOperations = {
  /**
   * `lock` is held for life, `use` waited for: free, nobody needs the keeper any more. `state` and `socket` are made;
   * a `state` that a killed keeper left is renamed to `oldState`, and both are removed at the end.
   * Maps: lines `inside outside count`, written by the programs `newuidmap` and `newgidmap`, or, where these are empty, here.
   * `adopt`: numbers of processes that may be left in the namespaces `user`, `mount` and `net` (`user:[4026532241]`).
   * `outbound`: the words of the program that connects to the outside, with %PID% for the namespaces' process.
   */
  keeper: {
    code: 40,
    args: [
      'lock',
      'use',
      'state',
      'oldState',
      'socket',
      'uidMap',
      'gidMap',
      'newuidmap',
      'newgidmap',
      'adopt',
      'user',
      'mount',
      'net',
    ],
    rest: 'outbound',
  },
} as const satisfies Record<string, Row>;

/** Requests to the coprocess (`serve`). The first argument of each is the request number that its replies carry. */
export const requestOperations = {
  hello: {code: 10, args: ['request']},
  /** `mode`: `shared` or `exclusive`. Replies `{waiting:true}` when it must wait, then `{lock:N}`. */
  lock: {code: 11, args: ['request', 'path', 'mode']},
  /** The same, but replies `{held:true}` where it would have to wait. */
  tryLock: {code: 23, args: ['request', 'path', 'mode']},
  unlock: {code: 12, args: ['request', 'lock']},
  /** Gives up a `lock` that still waits. */
  cancel: {code: 13, args: ['request', 'canceled']},
  /** Sends a batch of netlink messages (in the namespace file `net`, if not empty) and collects what comes back. */
  netlink: {code: 14, args: ['request', 'net', 'family', 'batch']},
  /** Starts a monitor with a launch plan (an encoded list of monitor operations). Replies when the process was executed. */
  launch: {code: 15, args: ['request', 'plan']},
  /** Removes `path` (relative) beneath the directory `root`, following no link and crossing no mount. */
  removeTree: {code: 16, args: ['request', 'root', 'path']},
  /** Bytes and entries of everything beneath `root`. */
  measureTree: {code: 17, args: ['request', 'root']},
  /**
   * Copies directory `target` of the image stacked from `lowers` (top first) into the empty directory `destination`, owner,
   * mode and extended attributes included; with `subpath` into that directory of it, where there is one.
   */
  copyUp: {code: 18, args: ['request', 'destination', 'subpath', 'target'], rest: 'lowers'},
  /**
   * Changes a container's files as the tar `archive` (a path) says, below `path`. It enters the mount namespace of the
   * process `pid`, a child of `monitor`; or, with `operations` (encoded setup operations of a root file system), one of
   * its own. `owner` or else `user` is looked up in there. `prefix`: of the temporary names. See docs/native.md.
   */
  sync: {
    code: 19,
    args: ['request', 'archive', 'path', 'owner', 'user', 'prefix', 'pid', 'monitor', 'operations'],
  },
  /** Removes the temporary names that a `sync` with the same arguments left, which was killed. */
  syncUndo: {
    code: 20,
    args: ['request', 'archive', 'path', 'owner', 'user', 'prefix', 'pid', 'monitor', 'operations'],
  },
  /** Mounts a file system at the machine's directory `target`, unless one is there. `type` `bind`: of the tree `device`. */
  volumeMount: {code: 21, args: ['request', 'target', 'type', 'device', 'flags', 'data']},
  /** Unmounts what is mounted at `target`; nothing there is no error. */
  volumeUnmount: {code: 22, args: ['request', 'target']},
  /** Tells the file system that what is made in a directory has nothing to do with each other, where it takes such a hint. */
  topDirectory: {code: 24, args: ['request', 'path']},
} as const satisfies Record<string, Row>;

/** Steps for a new process, executed in order; a failing step names itself in the error. */
const setupOperations = {
  /** Root file system. `options`: `volatile`, `userxattr`. `lowers`: top first. */
  overlay: {code: 100, args: ['upper', 'work', 'options'], rest: 'lowers'},
  /** `flags`: words of mount(8), and as `bind` how mounts spread. The target directory is made where missing. */
  mount: {code: 101, args: ['type', 'source', 'target', 'flags', 'data']},
  /**
   * `flags` as `mount` and rec, private, rprivate, shared, rshared, slave, rslave. `ro` includes what is mounted below where
   * the kernel can (mount_setattr); rotop: not what is below; roall: an error where it cannot. `create`: `directory`,
   * `file`, `auto` (like the source) or empty.
   */
  bind: {code: 102, args: ['source', 'target', 'flags', 'create']},
  /**
   * `type`: `c` or `b`; `mode` octal. The same device that is there already stays. Where mknod is not permitted, the
   * machine's device `source` is bound if it is the same one.
   */
  device: {code: 103, args: ['target', 'type', 'major', 'minor', 'mode', 'uid', 'gid', 'source']},
  symlink: {code: 104, args: ['value', 'target']},
  /** `mode` octal. An existing directory stays as it is. */
  directory: {code: 105, args: ['target', 'mode', 'uid', 'gid']},
  /** Copies the regular file `source` onto a memory file system and binds it read-only at `target`. */
  file: {code: 106, args: ['source', 'target', 'mode', 'uid', 'gid']},
  mask: {code: 107, args: ['target']},
  readonly: {code: 108, args: ['target']},
  readonlyRoot: {code: 109, args: []},
  hostname: {code: 110, args: ['name']},
  domainname: {code: 111, args: ['name']},
  /** `key` with dots or slashes, as sysctl(8). */
  sysctl: {code: 112, args: ['key', 'value']},
  /** `uid|name[:gid|group]`, looked up in the container's own files; empty: 0. Adds the user's supplementary groups. */
  user: {code: 113, args: ['user']},
  groups: {code: 114, args: [], rest: 'groups'},
  /** `name` lower-case without RLIMIT_ (`nofile`); limits decimal, `-1` unlimited. */
  rlimit: {code: 115, args: ['name', 'soft', 'hard']},
  /** 64-bit masks in hex. */
  capabilities: {code: 116, args: ['bounding', 'effective', 'permitted', 'inheritable', 'ambient']},
  noNewPrivileges: {code: 117, args: []},
  /** `program`: array of struct sock_filter in machine byte order. `flags`: decimal SECCOMP_FILTER_FLAG_*. */
  seccomp: {code: 118, args: ['program', 'flags']},
  oomScoreAdj: {code: 119, args: ['value']},
  /** Made where missing, as Docker does. */
  workdir: {code: 120, args: ['target']},
  /** `KEY=VALUE`. HOME is added from the container's passwd file where it is not given. */
  env: {code: 121, args: [], rest: 'variables'},
  argv: {code: 122, args: [], rest: 'words'},
  /** The program is executed under this profile of AppArmor, which is loaded. */
  appArmor: {code: 123, args: ['profile']},
  /** The /dev/shm of the container whose `ipc` namespace is joined. */
  sharedMemory: {code: 130, args: ['target']},
  /** `bind` of what is at `subpath` in the directory `source`: links that lead out of that are an error. */
  bindBeneath: {code: 131, args: ['source', 'subpath', 'target', 'flags', 'create']},
  /** Layers of an image (top first) seen as one tree, read-only: what is at `subpath` in it; empty: all of it. */
  imageMount: {code: 132, args: ['target', 'subpath'], rest: 'lowers'},
} as const satisfies Record<string, Row>;

/** A launch plan: what the monitor keeps, ending in the setup operations of the container's process. */
const monitorOperations = {
  identity: {code: 200, args: ['id', 'name']},
  paths: {code: 201, args: ['state', 'exit', 'control', 'lock']},
  /** json-file log; `maxBytes` 0: never rotated. `maxFiles` counts the live one. Absent: no log is kept. */
  log: {code: 202, args: ['path', 'maxBytes', 'maxFiles']},
  /** The JSON text of an object that every record of the log carries as `attrs`. */
  logAttributes: {code: 251, args: ['json']},
  /**
   * Who gets the lines too. `protocol`: tcp, udp (`address` and `port`), unix, unixgram, local (`address` is the path of a
   * socket; local: of either kind). `name`: for messages. `bufferBytes`: beyond so many waiting, lines are dropped; 0: the
   * container is held back.
   */
  logReceiver: {code: 252, args: ['protocol', 'address', 'port', 'name', 'bufferBytes']},
  /** They are messages of syslog; `format`: unix, rfc3164, rfc5424, rfc5424micro; `facility` 0 to 23. */
  logSyslog: {code: 253, args: ['format', 'facility', 'tag', 'host']},
  /** They are entries of journald, each with these fields (`NAME=VALUE`). */
  logJournald: {code: 254, args: [], rest: 'fields'},
  /** `policy`: no, always, unless-stopped, on-failure; `maxRetries` 0: without end. */
  restart: {code: 203, args: ['policy', 'maxRetries']},
  stop: {code: 204, args: ['signal', 'graceMs']},
  /** `restart`: a run that is unhealthy is ended and counts as one that failed, whatever the policy. */
  health: {
    code: 205,
    args: ['intervalMs', 'timeoutMs', 'startPeriodMs', 'startIntervalMs', 'retries', 'restart'],
    rest: 'words',
  },
  /** Journal file, and the members of an event's `Attributes` object as JSON text without the braces. */
  events: {code: 206, args: ['journal', 'attributes']},
  /** A cgroup directory to make and to put the container's process into; removed at the end. `version`: 1 or 2. */
  cgroup: {code: 207, args: ['path', 'version']},
  /** Written after the directories were made and before the process joins. `optional` 1: a missing file is no error. */
  cgroupWrite: {code: 208, args: ['path', 'value', 'optional']},
  /** A cgroup (made where missing, never removed by the monitor) that the monitor itself joins. */
  monitorCgroup: {code: 209, args: ['path', 'version']},
  /** Comma list of: pid mount uts ipc cgroup. */
  namespaces: {code: 210, args: ['list']},
  /** `mode`: `new` (held for the monitor's life, across restarts), `host`, or a path of a namespace file. */
  network: {code: 211, args: ['mode']},
  /**
   * A netlink batch. `when`: `attach` (machine's namespace, once the new one exists as descriptor 100), `inside` (the
   * container's namespace), `detach` (machine's namespace, at the end; errors are ignored).
   */
  netlinkBatch: {code: 212, args: ['when', 'family', 'batch']},
  /** The address is bound and held; connections to it are carried to the container. `protocol`: tcp, udp. */
  publish: {code: 213, args: ['protocol', 'hostAddress', 'hostPort', 'containerAddress', 'containerPort']},
  /** Answer DNS at `address` (`ip:port`) inside the container's namespace. */
  dns: {code: 214, args: ['address']},
  dnsUpstream: {code: 215, args: ['address', 'port']},
  /** The file that the upstreams are from (resolv.conf(5)): when it changes, its name servers take their place. */
  dnsFile: {code: 248, args: ['path']},
  /** Directory of name files of one network: one file a container, `address… | name name …` (see docs/native.md). */
  dnsNetwork: {code: 216, args: ['name', 'directory']},
  /** The name `alias` stands for `name` on that network, for this container alone. */
  dnsLink: {code: 246, args: ['network', 'alias', 'name']},
  stdio: {code: 217, args: ['tty', 'openStdin', 'stdinOnce', 'rows', 'columns']},
  /** So many clients asked to attach before the start: the process runs once they are there, or after a while. */
  expectedClients: {code: 222, args: ['count']},
  /** Run the process under a small init that reaps children and forwards signals. */
  init: {code: 218, args: []},
  /** A file to unlink when the monitor ends. */
  cleanup: {code: 219, args: ['path']},
  /** cgroup v2 device rules: an eBPF program (array of struct bpf_insn) attached to the cgroup. */
  cgroupDevices: {code: 221, args: ['path', 'program']},
  /** A setting of one of the container's interfaces, written in its namespace once the interface is there. `key` as in `sysctl`. */
  interfaceSysctl: {code: 240, args: ['key', 'value']},
  /** The container is on this network: event `connect` of its id when a run begins, `disconnect` at its end. `attributes` as in `events`. */
  networkMember: {code: 241, args: ['id', 'attributes']},
  /** This volume is mounted in the container: event `mount` of its name when a run begins, `unmount` at its end, each with its attributes. */
  volumeMember: {code: 249, args: ['name', 'mounted', 'unmounted']},
  /**
   * Namespaces (comma list of: pid ipc network) of another container, whose monitor is asked for them at `control`: anew
   * for each run. Those are not to be in `namespaces`.
   */
  join: {code: 230, args: ['list', 'control']},
  /** Sockets outside are asked for at this socket of the keeper: published addresses, name servers. */
  outside: {code: 231, args: ['socket']},
  /** A volume that is mounted while it is used: the file whose lock says so, held shared, and where it is mounted. */
  volumeUse: {code: 232, args: ['lock', 'mountpoint']},
  /** The encoded setup operations. */
  process: {code: 220, args: ['operations']},
} as const satisfies Record<string, Row>;

/** Steps of a change to the networks of a running container, in the `operations` of `update`: carried out in their order, and taken back backwards. */
const networkOperations = {
  /**
   * A netlink batch and the one that takes it back. `when`: `machine` (the container's namespace is descriptor 100), `inside`,
   * `after` or `afterInside` (when nothing can fail any more; errors are ignored).
   */
  netlinkChange: {code: 242, args: ['when', 'family', 'batch', 'inverse']},
  /** Puts the file `source` in the place of `target`, which may be missing. */
  replaceFile: {code: 243, args: ['source', 'target']},
  /** Takes lines out of the text file `path` and adds others at its end, in place. */
  editLines: {code: 244, args: ['path', 'removed', 'added']},
  /** Unlinked when nothing can fail any more. */
  discardFile: {code: 245, args: ['path']},
} as const satisfies Record<string, Row>;

/** Messages to a monitor's control socket. Stable for ever: monitors live for months. */
const controlOperations = {
  /** Replies `{version, build, features}`. */
  monitorHello: {code: 300, args: []},
  /** Replies the state as one JSON line. */
  state: {code: 301, args: []},
  /** The state as a JSON line now and at every change, until the monitor ends. */
  watch: {code: 302, args: []},
  /** Stops the container (signal, grace period, SIGKILL); no restart follows. Replies, cleans up and ends. Empty: as in the plan. */
  stopContainer: {code: 303, args: ['signal', 'graceMs']},
  kill: {code: 304, args: ['signal']},
  /** Replies `{ok:true}`, of a first run not before it begins, then frames in both directions. */
  attach: {code: 305, args: ['stdin', 'stdout', 'stderr']},
  resize: {code: 306, args: ['rows', 'columns']},
  /** A further process (setup operations: user, groups, capabilities, workdir, env, argv). Replies `{ok:true,pid}` or the error, then frames. */
  exec: {code: 307, args: ['tty', 'stdin', 'rows', 'columns', 'operations', 'id']},
  /**
   * Changes what `operations` say (one `restart`, any `cgroupWrite`, and the networks: all that a launch plan says of them but
   * `network` and `attach` and `inside` batches, with the steps that lead there) and renames the file `source`, the record of
   * it, to `target`: all of it or nothing. Code 308 was another request once.
   */
  update: {code: 309, args: ['operations', 'source', 'target']},
  /** Freezes every process. Replies when they are frozen. */
  pause: {code: 310, args: []},
  unpause: {code: 311, args: []},
  /** Replies `{ok:true}` with a pid descriptor of the first process beside it (SCM_RIGHTS), by which its namespaces are joined. */
  lendProcess: {code: 312, args: []},
  /** What its events carry from now on, as in `events`: the container has another name. */
  describe: {code: 313, args: ['attributes']},
} as const satisfies Record<string, Row>;

export const operations = {
  ...enterOperations,
  ...keeperOperations,
  ...requestOperations,
  ...setupOperations,
  ...monitorOperations,
  ...networkOperations,
  ...controlOperations,
  ...unpackOperations,
  ...filesOperations,
} as const;

type Rows = typeof operations;
export type OperationName = keyof Rows;

export type Argument = string | number | boolean | Uint8Array;

type Arguments<R extends Row> = {readonly [A in R['args'][number]]: Argument} & (R extends {
  readonly rest: infer N extends string;
}
  ? {readonly [A in N]: readonly Argument[]}
  : unknown);

/** One operation, ready to be encoded: `{kind: 'hostname', name: 'web'}`. */
export type Operation<K extends OperationName = OperationName> = {
  [N in K]: {readonly kind: N} & Arguments<Rows[N]>;
}[K];

export type SetupOperation = Operation<keyof typeof setupOperations>;
export type MonitorOperation = Operation<keyof typeof monitorOperations>;
export type NetworkOperation = Operation<keyof typeof networkOperations>;
export type FilesOperation = Operation<keyof typeof filesOperations>;
export type ControlOperation = Operation<keyof typeof controlOperations>;

/** Stream header: `TSOP`, version (u16), reserved (u16), build id (16 bytes; zeros on a control socket). */
const streamMagic = 'TSOP';
const streamVersion = 1;

const encoder = new TextEncoder();

function toText(value: Exclude<Argument, Uint8Array>): string {
  return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
}

/** Bytes of a text in UTF-8 take at most this many times its length. */
const longestCharacter = 3;

/** A buffer that grows: a launch plan has hundreds of short arguments, which are written where they belong at once. */
class Writer {
  private bytes = Buffer.allocUnsafe(4096);
  private size = 0;

  private reserve(more: number): void {
    if (this.size + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.size + more));
    this.bytes.copy(grown, 0, 0, this.size);
    this.bytes = grown;
  }

  operation(operation: Operation): void {
    const row: Row = operations[operation.kind];
    const values = operation as unknown as Readonly<Record<string, Argument | readonly Argument[]>>;
    const repeated = row.rest === undefined ? [] : (values[row.rest] as readonly Argument[]);
    this.reserve(8);
    const start = this.size;
    this.bytes.writeUInt16LE(row.code, start + 4);
    this.bytes.writeUInt16LE(row.args.length + repeated.length, start + 6);
    this.size += 8;
    for (const name of row.args) this.argument(values[name] as Argument);
    for (const value of repeated) this.argument(value);
    this.bytes.writeUInt32LE(this.size - start - 4, start);
  }

  private argument(value: Argument): void {
    const start = this.size + 4;
    let length: number;
    if (value instanceof Uint8Array) {
      length = value.length;
      this.reserve(length + 5);
      this.bytes.set(value, start);
    } else {
      const text = toText(value);
      this.reserve(text.length * longestCharacter + 5);
      length = this.bytes.write(text, start);
    }
    this.bytes.writeUInt32LE(length, this.size);
    this.bytes[start + length] = 0;
    this.size = start + length + 1;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.size);
  }
}

/**
 * A record: u32 length of what follows · u16 code · u16 argument count · each argument as u32 size, bytes, a NUL that
 * the size does not count. Little-endian.
 */
export function encodeOperation(operation: Operation): Uint8Array {
  return encodeOperations([operation]);
}

export function encodeOperations(list: readonly Operation[]): Uint8Array {
  const writer = new Writer();
  for (const operation of list) writer.operation(operation);
  return writer.finish();
}

export function encodeHeader(build: Uint8Array): Uint8Array {
  const header = new Uint8Array(24);
  header.set(encoder.encode(streamMagic), 0);
  new DataView(header.buffer).setUint16(4, streamVersion, true);
  header.set(build.subarray(0, 16), 8);
  return header;
}
