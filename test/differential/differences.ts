import {type Difference, differences as ofStacks} from '../e2e/parity/differences.ts';

/** A difference, and the nouns in whose cases it is seen: in each of them it must be. */
export type KnownDifference = Difference & {readonly of: readonly string[]} & Told;

/** Where users read of it, or why they need not. */
type Told =
  /** A first cell of the table in docs/engine.md, or words of what stands before it. */
  {readonly docs: string} | {readonly notForUsers: string};

/** Nouns whose cases run containers. */
const running = [
  ...['config', 'resources', 'confinement', 'host-config', 'states', 'lives', 'execs', 'looks', 'logs', 'waits'],
  ...['archives', 'networks', 'volumes', 'lists', 'prunes', 'reconnections', 'publishings'],
  ...['connections', 'mounts', 'memory', 'commits', 'attaches', 'log-drivers'],
];
const all = [...running, 'refusals', 'absences', 'system'];

/** Of mistakes that Docker answers with 500, which says that it is to blame. Ours is never that (see `check`). */
const mistake = {
  line: /^(?:internal 500|invalid 400)$/,
  to: 'a mistake of the caller',
  reason: 'what Docker answers with 500 for a mistake of the caller has the status of that mistake',
  docs: 'what it answers with 500 for a mistake of the caller has the status of that mistake',
};

/** Of containers that one of Docker's starts could not begin. */
const failedStart = {
  line: /^network (?:connect|disconnect) <(?:id|it)> container=<(?:id|it)> name=\S+ type=\w+$/,
  reason: 'a container whose start failed was never on its network, so it does not leave it',
  docs: 'events of a start that failed',
};

/** What this engine does not have is told apart from what is wrong. */
const unsupported = {
  line: /^(?:invalid 400|notFound 404|unsupported 501)$/,
  to: 'not there',
  reason: 'a driver, a runtime or a kind of mount that this engine does not have is refused as unsupported',
  docs: 'a driver, a runtime or an option that is not there',
};

const everywhere: readonly KnownDifference[] = [
  {
    of: all,
    at: /^baseline\/baseline\/inspect$/,
    line: /^HostConfig\.(?:Runtime "(?:runc|tscompose)"|CgroupnsMode "(?:host|private)")$/,
    reason: 'another runtime, and a cgroup namespace of its own also on cgroup v1',
    docs: 'the default cgroup namespace',
  },
  {
    of: all,
    at: /\/inspect$/,
    line: /^GraphDriver\.Data\./,
    reason: 'where the layers of a container lie is of the storage driver alone',
    notForUsers: 'Docker names this member as what may change with the driver',
  },
  {
    of: running,
    at: /\/(?:inspect|list)$/,
    line: /^NetworkSettings\.Networks\.(?:none\.(?:NetworkID|EndpointID) "<id>"|host\.(?:NetworkID|EndpointID) ".*")$/,
    reason: 'no network has no id, and nothing that is attached to it',
    docs: 'the networks `none` and `host` in inspect',
  },
];

const ofContainers: readonly KnownDifference[] = [
  {
    of: ['config', 'confinement', 'resources'],
    at: /^(?:a command (?:that|by)|a command that may|a user that|a group that|a number that|a negative number|a group added that|other paths are hidden|limits of a process|every limit of a process).*\/events\/events$/,
    line: /^network disconnect <id> container=<\w+> name=none type=null$/,
    reason: 'a container whose start failed was never on its network, so it does not leave it',
    docs: 'events of a start that failed',
  },
  {
    of: ['config'],
    at: /^(?:a user that is not there|a group that is not there|a group added that is not there|a number that is too great|a negative number)\/start\/error$/,
    ...mistake,
  },
  {
    of: ['config'],
    at: /^(?:a user that is not there|a group that is not there|a group added that is not there|a number that is too great|a negative number)\/it at last\/inspect$/,
    line: /^LogPath <path>$/,
    reason: 'a log has its place from the first start on, also where that failed',
    docs: '`LogPath`, `HostsPath`, `HostnamePath` and `ResolvConfPath`',
  },
  {
    of: ['logs'],
    at: /^of a container that was only made\/it at last\/inspect$/,
    line: /^LogPath <path>$/,
    reason: 'the same: not by being asked for',
    docs: '`LogPath`, `HostsPath`, `HostnamePath` and `ResolvConfPath`',
  },
  {
    of: ['config'],
    at: /^groups added by number and by name\/it at last\/status$/,
    line: /(\b50(?:\(staff\))?)([ ,])50(?:\(staff\))?/,
    to: '$1',
    reason: 'a group that is named twice is had once',
    notForUsers: 'the kernel looks at groups as a set',
  },
  {
    of: ['config'],
    at: /^(?:a volume of the image|a volume of the request|volumes of both)\/it at last\/list$/,
    line: /"Source":"(?:<volume <id>>)?"(.*?)(?:"Source":"(?:<volume <id>>)?"|$)/,
    to: '$1',
    reason: 'a list tells where every volume lies, not only those with names',
    docs: 'anonymous volumes in lists',
  },
  {
    of: ['resources'],
    at: /^a weight of input and output\/it at last\/inspect$/,
    line: /^HostConfig\.BlkioWeight 300$/,
    reason: 'weights of input and output on version 1 are kept; Docker discards them',
    docs: 'weights of input and output on version 1',
  },
  {
    of: ['resources'],
    at: /^(?:limits of a process|every limit of a process)\/start\/error$/,
    line: /^(?:internal 500|forbidden 403)$/,
    to: 'not allowed',
    reason: 'what the kernel does not allow this engine has the status of that',
    docs: 'a limit that the kernel does not allow',
    machine: 'anywhere',
  },
  {of: ['confinement'], at: /^paths of the system\/create\/error$/, ...mistake},
  {
    of: ['host-config'],
    at: /^control groups of (?:its own|the machine)\/it at last\/inspect$/,
    line: /^HostConfig\.CgroupnsMode "(?:host|private)"$/,
    reason: 'the same as in what nobody asked for, from the other side',
    docs: 'the default cgroup namespace',
  },
  {
    of: ['host-config'],
    at: /^a memory file system that is read-only\/it at last\/volumes$/,
    line: /(tmpfs tmpfs) r[ow]$/,
    to: '$1',
    reason: 'a read-only memory file system is read-only itself, not only its mount',
    notForUsers: 'nobody can write to either',
  },
  {
    of: ['states'],
    at: /^(?:created|running): unpause\/unpause\/error$/,
    line: /^(?:internal 500|conflict 409)$/,
    to: 'a mistake of the caller',
    reason: mistake.reason,
    docs: mistake.docs,
  },
  {of: ['states'], at: /^running: stop by no signal\/stop\/error$/, ...mistake},
  {
    of: ['lives'],
    at: /^its start fails .*\/inspect$/,
    line: /^Config\.Hostname "<other short>"$/,
    reason: 'who shares a network has the host name of its owner from its creation on',
    docs: 'host names in the network of another container',
  },
  {
    of: ['lives'],
    at: /^its start fails before there is a process\/it at last\/inspect$/,
    line: /^(?:HostnamePath|HostsPath|ResolvConfPath|LogPath) <path>$/,
    reason: 'files of a container have their places from the first start on, also where that failed',
    docs: '`LogPath`, `HostsPath`, `HostnamePath` and `ResolvConfPath`',
  },
  {
    of: ['states'],
    at: /^(?:running|paused): rename\/(?:look|it at last)\/inspect$/,
    line: /^NetworkSettings\.Networks\.none\.DNSNames \["@other","<it short>"\]$/,
    reason: 'without a network there are no names on it, also after a change of the name',
    docs: 'the networks `none` and `host` in inspect',
  },
  {
    of: ['states'],
    at: /^running: resize without a terminal\/events\/events$/,
    line: /^container resize /,
    reason: 'a terminal that there is not gets no size, and no event tells that it has one',
    docs: 'a size for a container without a terminal',
  },
  {
    of: ['lives'],
    at: /\/events$/,
    line: /^container exec_(?:create|start|die)\b/,
    reason: 'a probe of health is no command of anybody: its results are in the state, and no event fills the journal',
    docs: 'probes of health',
  },
];

const ofRefusals: readonly KnownDifference[] = [
  {
    of: ['refusals'],
    at: /^(?:a driver of logs that there is not|an option of logs that there is not|a runtime that is not there)\/refused\/error$/,
    ...unsupported,
  },
  {
    of: ['refusals'],
    at: /^the network of a container that is not there\/refused\/error$/,
    line: /^(?:internal 500|conflict 409)$/,
    to: mistake.to,
    reason: mistake.reason,
    docs: mistake.docs,
  },
  // Docker takes these and does nothing with them; a row each, so that each is seen to be refused.
  ...[
    ...['a weight of 5', 'a weight of 1001', 'a mode of users that there is not', 'a port that is none'],
    ...['a protocol that is none', 'a check of health of no kind'],
  ].map((name) => ({
    of: ['refusals'],
    at: new RegExp(`^${name}/refused/`),
    line: /^(?:it runs|invalid 400|unsupported 501|when it is made)$/,
    reason: 'what Docker leaves out in silence is refused',
    docs: 'What Docker leaves out in silence is refused by name',
  })),
  {of: ['refusals'], at: /\/refused\/error$/, ...mistake},
  {
    of: ['refusals'],
    at: /\/refused\/when$/,
    line: /^when it is (?:made|started)$/,
    reason: 'what is known to be wrong before the start is refused before anything is made',
    docs: 'what is wrong whenever it starts',
  },
];

const ofCommands: readonly KnownDifference[] = [
  {
    of: ['execs'],
    at: /^a user that is not there\/events\/events$/,
    line: /^container exec_(?:create|start): true {2}/,
    reason: 'users are looked up when a command starts, not when it is made',
    docs: 'a user that an exec names and that is not there',
  },
  {
    of: ['execs'],
    at: /^a (?:directory that is not there|command that is not there|command that may not be executed)\/exec\/(?:output|stderr)$/,
    line: /^(?:OCI runtime exec failed: |working directory |execute ")/,
    reason: 'why a command could not be executed is no output of the command',
    docs: 'a program that an exec cannot execute',
  },
  {
    of: ['execs'],
    at: /^started twice\/start twice\/(?:answer|error)$/,
    line: /^(?:done|conflict 409)$/,
    reason: 'a second start of a command is refused, where Docker answers with nothing',
    docs: 'a second start of an exec',
  },
  {
    of: ['looks'],
    at: /^processes with arguments that there are not\/top --no-such\/error$/,
    line: /^(?:internal 500|unsupported 501)$/,
    to: 'refused',
    reason: mistake.reason,
    docs: mistake.docs,
  },
  {
    of: ['looks'],
    at: /^processes without their numbers\//,
    line: /^(?:internal 500|container top .*|USER|COMMAND|root .*)$/,
    reason: 'processes are listed without their numbers too, where nobody asks for those',
    docs: '`top` without process numbers',
  },
  {
    of: ['looks'],
    at: /^usage (?:of a container|with a limit)\/stats\/answer$/,
    line: /^(?:id|name) string$/,
    reason: 'a single sample says whose it is',
    docs: 'a single sample of `stats`',
  },
  {
    of: ['archives'],
    at: /^(?:a path below a file\/path \/t\/f\/x|a file is not put over a directory\/put into \/|a directory is not put over a file\/put into \/etc|what is no archive\/put)\/error$/,
    ...mistake,
  },
  {
    of: ['archives'],
    at: /^files are put into a read-only root\/put into \/tmp\/error$/,
    line: /^(?:invalid 400|forbidden 403)$/,
    to: 'not allowed',
    reason: 'a put into a read-only place is forbidden',
    docs: 'a put into a read-only place',
  },
  {
    of: ['archives'],
    at: /^the root as it is before the first start\/(?:get \/etc\/hostname|path \/etc\/hosts|events)\//,
    line: /^(?:\{"name":"host.*|notFound 404|container archive-path .*)$/,
    reason: 'places for the files of the engine are made at the first start',
    docs: '`/etc/hosts`, `hostname` and `resolv.conf` in archives',
  },
  {
    of: ['archives'],
    at: /^the root of one that has run\/path \/etc\/hosts\/answer$/,
    line: /"size":\d+/,
    to: '"size":of the place',
    reason: 'the files of the engine are seen in a container that runs; else the places for them',
    docs: '`/etc/hosts`, `hostname` and `resolv.conf` in archives',
  },
];

const ofThings: readonly KnownDifference[] = [
  {of: ['networks'], at: /^a driver that there is not\/create network @net\/error$/, ...unsupported},
  {of: ['volumes'], at: /^a volume with another driver\/create volume @data\/error$/, ...unsupported},
  {
    of: ['volumes'],
    at: /^volumes of another container\/it at last\/volumes$/,
    line: /^(\/x \S+ \S+) (?:master:\d+|private) machine$/,
    to: '$1 machine',
    reason: 'what is mounted into a volume on the machine later does not appear in the container',
    docs: 'what is mounted into a volume on the machine later',
  },
  {
    of: ['lists'],
    at: /^by port\/list \{"expose":\["80"\],"all":true\}\/answer$/,
    line: /^\/@made$/,
    reason: 'a container is found by the ports that it exposes also while it does not run',
    docs: '`expose` as a filter of lists',
  },
  {
    of: ['system'],
    at: /^what it is\/info\/answer$/,
    line: /^(?:Containerd|FirewallBackend|Runtimes)\.|^KernelMemoryTCP |^RegistryConfig\.IndexConfigs\.docker\.io\./,
    reason: "the parts of Docker's own house, and of its registry",
    notForUsers: 'it has no such parts',
  },
  {
    of: ['system'],
    at: /^an image in a list\/list\/answer$/,
    line: /^Containers (?:0|-1)$/,
    reason: 'containers of an image are not counted in a list',
    docs: '`Containers` in a list of images',
  },
];

/** Cases of a container that is to be on a network and never was, or whose network is gone. */
const notYetThere =
  /^(?:connected before it runs\/look|(?:connected twice before it runs|the address of another container|no address is left|a network with a container that has ended|connected at the address of another)\/it at last)\/(?:inspect|list)$/;

const ofNetworks: readonly KnownDifference[] = [
  {
    of: ['networks', 'connections', 'reconnections'],
    at: /\/inspect network @\w+\/answer$/,
    line: /^(IPAM\.Config \[\{)"Gateway":"[^"]*",/,
    to: '$1',
    reason: 'the gateway of a network is shown also where nobody asked for one',
    docs: 'the gateway of a subnet in inspect of a network',
  },
  {
    of: ['networks'],
    at: /^(?:two subnets of one family|a subnet twice|a subnet within a subnet|a driver of addresses that there is not|networks of drivers that are there once)\/.*\/error$/,
    line: /^(?:forbidden 403|notFound 404|unsupported 501)$/,
    to: unsupported.to,
    reason: unsupported.reason,
    docs: unsupported.docs,
  },
  {
    of: ['networks'],
    at: /^(?:a driver of addresses by its name|an option that nobody knows)\//,
    line: /^/,
    reason: 'what Docker leaves out in silence is refused',
    docs: 'What Docker leaves out in silence is refused by name',
  },
  {
    of: ['networks'],
    at: /^a subnet of one address\//,
    line: /^/,
    reason: 'where no container has room nobody could be',
    docs: 'a subnet of one address',
  },
  {of: ['networks'], at: /\/create network @net\/error$/, ...mistake},
  {
    of: ['connections', 'reconnections'],
    at: notYetThere,
    line: /^NetworkSettings\.Networks\.@\w+\.(?:NetworkID ".*"|DNSNames .*)$/,
    reason: 'which network that is, and its names there, is known from its creation on, for as long as the network is',
    docs: 'the ids of networks and names on them in inspect',
  },
  {
    of: ['connections', 'reconnections'],
    at: /^(?:the address of (?:the gateway|another container)\/(?:start|refused)|connected at the address of another\/connect it to @two|a network with a container that runs\/remove network @net)\/error$/,
    line: /^(?:forbidden 403|conflict 409)$/,
    to: 'taken',
    reason: 'what somebody else has is a conflict with them, and not forbidden',
    docs: 'an address that is taken, a network that is in use',
  },
  {
    of: ['connections'],
    at: /^no address is left\/start\/error$/,
    line: /^(?:internal 500|exhausted 507)$/,
    to: 'there is none',
    reason: mistake.reason,
    docs: mistake.docs,
  },
  {
    of: ['publishings'],
    at: /^a published port that is (?:taken)\/start\/error$/,
    line: /^(?:internal 500|conflict 409)$/,
    to: 'taken',
    reason: mistake.reason,
    docs: mistake.docs,
  },
  {of: ['publishings'], at: /^published at an address that the machine has not\/start\/error$/, ...mistake},
  {
    of: ['connections', 'publishings'],
    at: /^(?:(?:a published port that is taken|published at an address that the machine has not)\/it at last\/list|a network beside that there is not\/it at last\/(?:inspect|list))$/,
    line: /^NetworkSettings\.Networks\.@net\.(?:DNSNames|EndpointID|Gateway|IPAddress|IPPrefixLen|MacAddress|NetworkID) /,
    reason:
      'what a start that failed has given back is not told any more, in a list as little as in inspect; which of several networks Docker had come to is chance',
    notForUsers: 'it is stale, and inspect of the same engine does not say so',
  },
  {
    of: ['connections', 'publishings'],
    at: /^(?:the address of|no address is left|a network beside that|on the network of the machine, and|a published port that is taken|published at an address).*\/events\/events$/,
    ...failedStart,
  },
  {
    of: ['reconnections'],
    at: /^connected at the address of another\/(?:events\/events|it at last\/inspect)$/,
    line: /^(?:network disconnect <id> container=<it> name=@two |NetworkSettings\.Networks\.@two\.)/,
    reason: 'a connect that failed changes nothing',
    docs: 'a connect that failed',
  },
  {
    of: ['reconnections'],
    at: /\/disconnect it from @net(?: 2| by force)?\/error$/,
    line: /^(?:internal 500|conflict 409)$/,
    to: 'it is not there',
    reason: mistake.reason,
    docs: 'a container that is not on the network it is to leave',
  },
  {
    of: ['publishings'],
    at: /^a published port that nobody exposed\//,
    line: /^(?:NetworkSettings\.Ports\.80\/tcp|Ports) \[.*"(?:HostPort|PublicPort)":.*\]$/,
    reason: 'a port that is to be published needs no other word for it',
    docs: 'a port that is to be published and was not exposed',
  },
];

const ofFiles: readonly KnownDifference[] = [
  {
    of: ['mounts'],
    at: /^a (?:volume|volume, read-only|mount of a volume)\/it at last\/volumes$/,
    line: /^(\/x \S+ \S+) (?:master:\d+|private) machine$/,
    to: '$1 machine',
    reason: 'what is mounted into a volume on the machine later does not appear in the container',
    docs: 'what is mounted into a volume on the machine later',
  },
  {
    of: ['mounts'],
    at: /^a volume that is a path that is not there\/refused\//,
    line: /^(?:internal 500|notFound 404)$/,
    to: 'it is not there',
    reason: 'a volume that cannot be mounted has the status of the reason',
    docs: 'a volume that cannot be mounted',
  },
  {
    of: ['mounts'],
    at: /^a volume that is a path that is not there\/events\/events$/,
    line: /^volume unmount /,
    reason: 'a volume that was never mounted is not unmounted',
    docs: 'events of a start that failed',
  },
  {
    of: ['memory'],
    at: /^another image\/it at last\/(?:inspect|list)$/,
    line: /"Source":"(?:<root>\/overlay2\/<id>\/merged)?"/,
    to: '"Source":""',
    reason: 'an image is mounted from its layers, in the container alone: there is no place of it on the machine',
    notForUsers: 'the place that Docker names is inside of its storage driver',
  },
  {
    of: ['memory'],
    at: /^a (?:pipe of another system|volume of a cluster)\/refused\/error$/,
    ...unsupported,
  },
  {of: ['mounts'], at: /^a mount of a volume by no known driver\/refused\/error$/, ...unsupported},
  {of: ['mounts', 'memory'], at: /\/refused\/error$/, ...mistake},
  {
    of: ['commits'],
    at: /\/inspect image [^/]*\/answer$/,
    line: /^(?:DockerVersion|Parent) /,
    reason: 'which Docker made an image, and from which other one',
    notForUsers: 'Docker names both as what its newer image store does not have',
  },
  {
    of: ['commits'],
    at: /^what was asked for is kept\/inspect image @made:of\/answer$/,
    line: /^RootFS\.Layers [12]$/,
    reason: 'the place of a volume is in a container that was looked into, as after its first start',
    notForUsers: 'it is an empty directory, where the image says that a volume is',
  },
  {
    of: ['commits'],
    at: /^what was asked for is kept\/it at last\/list$/,
    line: /"Source":"(?:<volume <id>>)?"/,
    to: '',
    reason: 'a list tells where every volume lies, not only those with names',
    docs: 'anonymous volumes in lists',
  },
  {
    of: ['commits'],
    at: /^an instruction for later builds\//,
    line: /^/,
    reason: 'a commit has no instructions for later builds',
    docs: '`ONBUILD` among the changes of a commit or an import',
  },
  {
    of: ['commits'],
    at: /^a change without words\//,
    line: /^/,
    reason: 'what Docker leaves out in silence is refused',
    docs: 'What Docker leaves out in silence is refused by name',
  },
];

const ofLogs: readonly KnownDifference[] = [
  {
    of: ['attaches', 'log-drivers', 'waits'],
    at: /^(?:before a start that fails|for the removal of one that removes itself and cannot start|journald where there is none|syslog at a port where nobody listens)\/events\/events$/,
    ...failedStart,
  },
  {
    of: ['log-drivers'],
    at: /^json-file that is compressed\//,
    line: /^/,
    reason: 'older files of a log are not compressed',
    docs: '`compress` of `json-file`',
  },
  {
    of: ['log-drivers'],
    at: /^(?:journald where there is none|syslog at a port where nobody listens)\/start\/error$/,
    line: /^(?:internal 500|unavailable 503)$/,
    to: 'nobody is there',
    reason: mistake.reason,
    docs: mistake.docs,
  },
  {
    of: ['log-drivers'],
    at: /^(?:journald where there is none|syslog at a port where nobody listens)\/(?:logs|it at last)\/(?:error|output)$/,
    line: /^(?:error )?internal 500$/,
    reason: 'the log beside one that is sent is read also where the start failed: there is nothing in it',
    notForUsers: 'such a container has written nothing',
  },
  {
    of: ['log-drivers'],
    at: /^syslog with what is no text\/sent\/stdout$/,
    line: /^a.+b$/,
    to: 'a?b',
    reason: 'the log beside one that is sent is a file of JSON, which has no place for bytes that are no text',
    docs: 'bytes that are no text, in the log beside one that is sent',
  },
  {of: ['log-drivers'], at: /^local with a tag\/create\/error$/, ...unsupported},
  {
    of: ['log-drivers'],
    at: /^[^/]*(?:option that there is not|driver that there is not)\/refused\/error$/,
    ...unsupported,
  },
  {
    of: ['log-drivers'],
    at: /^json-file that (?:is compressed (?:and never turned over|perhaps)|waits for nobody)\/refused\//,
    line: /^(?:internal 500|unsupported 501|it runs|when it is (?:made|started))$/,
    reason: 'options of a log that this engine does not carry out',
    docs: '`compress` of `json-file`',
  },
  {of: ['log-drivers'], at: /\/refused\/error$/, ...mistake},
];

/** Whatever noun they are of: what is refused at once, and what Docker takes and does nothing with. */
const ofAnyRefusal: readonly KnownDifference[] = [
  // A row each, so that each is seen to be refused.
  ...[
    ['publishings', 'published at an address that is none'],
    ['memory', 'memory and a mount of it at one place'],
    ['log-drivers', 'json-file of files without a size'],
  ].map(([noun = '', name = '']) => ({
    of: [noun],
    at: new RegExp(`^${name}/refused/`),
    line: /^(?:it runs|invalid 400|when it is (?:made|started))$/,
    reason: 'what Docker leaves out in silence is refused',
    docs: 'What Docker leaves out in silence is refused by name',
  })),
  {of: ['connections'], at: /\/refused\/error$/, ...mistake},
  {
    of: ['connections', 'mounts', 'memory', 'log-drivers'],
    at: /\/refused\/when$/,
    line: /^when it is (?:made|started)$/,
    reason: 'what is known to be wrong before the start is refused before anything is made',
    docs: 'what is wrong whenever it starts',
  },
];

/** Where this engine is meant to differ from Docker, noun by noun; everything else is the same. */
export const differences: readonly KnownDifference[] = [
  ...everywhere,
  ...ofContainers,
  ...ofRefusals,
  ...ofCommands,
  ...ofThings,
  ...ofAnyRefusal,
  ...ofNetworks,
  ...ofFiles,
  ...ofLogs,
];

/** What a process sees of its container is different as in the stacks of test/e2e/parity, where each row is seen to be needed. */
export const factDifferences: readonly Difference[] = ofStacks.filter(({at}) => at.source.startsWith('\\/'));
