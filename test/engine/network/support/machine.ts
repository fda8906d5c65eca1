import {type ChildProcess, spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {mkdirSync, rmSync, unlinkSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'vitest';
import type {EndpointSettings, HostConfig} from '../../../../src/api/types/container.ts';
import type {ContainerRecord} from '../../../../src/engine/container/record.ts';
import type {JournalEntry} from '../../../../src/engine/events.ts';
import {createHelper, type Helper} from '../../../../src/engine/helper/coprocess.ts';
import type {MonitorOperation} from '../../../../src/engine/helper/operations.ts';
import {createLayout, type Layout} from '../../../../src/engine/layout.ts';
import type {MachineFiles} from '../../../../src/engine/network/machine.ts';
import {createNetworks, type EngineNetworks} from '../../../../src/engine/network/networks.ts';
import type {EndpointPlan} from '../../../../src/engine/network/plan-endpoints.ts';
import {ensureRoot} from '../../../../src/engine/root.ts';
import {type CommandResult, eventually, execute, makeHost, type TestHost} from '../../../support/host.ts';

/** A machine of its own (a network namespace), the engine's networks on it, and containers that are bare namespaces. */
export interface NetworkMachine extends AsyncDisposable {
  readonly host: TestHost;
  readonly layout: Layout;
  readonly helper: Helper;
  readonly networks: EngineNetworks;
  readonly events: readonly JournalEntry[];
  readonly files: MachineFiles;
  /** Runs a shell line on the machine; throws when it fails. */
  sh(line: string): Promise<string>;
  /** Without throwing. */
  try(line: string): Promise<CommandResult>;
  /** A second engine process on the same root. */
  another(): EngineNetworks;
  /** Another root on the same machine. */
  otherRoot(): Promise<AsyncDisposable & {readonly networks: EngineNetworks}>;
  /** Plans a container's networks and does to a new namespace what its monitor would. */
  start(request: ContainerRequest): Promise<FakeContainer>;
  /** A neighbour that reaches the machine over a wire of its own. */
  neighbour(options: {readonly machine: string; readonly own: string}): Promise<Namespace>;
}

export interface Namespace {
  readonly pid: number;
  sh(line: string): Promise<string>;
  /** Without throwing. */
  try(line: string): Promise<CommandResult>;
  /** Answers `text` at a TCP or UDP port until the test ends. */
  serve(port: number, text: string, options?: {readonly address?: string; readonly udp?: boolean}): Promise<void>;
}

export interface ContainerRequest {
  readonly name: string;
  readonly networks: Readonly<Record<string, EndpointSettings>>;
  readonly host?: HostConfig;
  readonly exposed?: readonly string[];
  readonly hostname?: string;
}

export interface FakeContainer extends Namespace {
  readonly record: ContainerRecord;
  readonly plan: EndpointPlan;
  /** What the monitor does at its end. */
  stop(): Promise<void>;
  /** The monitor was killed: nothing is cleared, the namespace goes with it. */
  die(): Promise<void>;
}

const helperPath = process.env['TSCOMPOSE_HELPER'];

export async function makeMachine(options: {readonly publishAddress?: string} = {}): Promise<NetworkMachine> {
  const host = await makeHost();
  // A new namespace starts with what the machine's first one has.
  await host.command('sysctl', ['-qw', 'net.ipv4.ip_forward=0', 'net.ipv6.conf.all.forwarding=0']);
  const layout = createLayout({root: host.root, run: host.run});
  await ensureRoot(layout);
  const children: ChildProcess[] = [];
  const events: JournalEntry[] = [];
  const enter = {user: '', mount: '', net: `/run/netns/${host.namespace}`, use: '', keeper: ''};
  const start = () => Promise.reject(new Error('a namespace that is there needs no keeper'));
  const helper = createHelper({helperPath, keeper: {current: async () => enter, start}});
  const files = filesIn(host);
  const build = (where = layout) =>
    createNetworks({
      layout: where,
      helper,
      now: Date.now,
      events: {append: async (entry) => void events.push(entry)},
      files,
      publishAddress: options.publishAddress,
    });
  const networks = build();
  const attemptHere = (line: string) => host.command('sh', ['-c', line], {timeoutMs: 60_000});
  const sh = async (line: string) => output(line, await attemptHere(line));
  const namespace = async (): Promise<Namespace & {readonly child: ChildProcess}> => {
    const child = spawn(
      'nsenter',
      [`--net=/run/netns/${host.namespace}`, '--', 'unshare', '--net', 'sh', '-c', 'echo; exec sleep 600'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    children.push(child);
    if (child.stdout) await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    const attempt = (line: string) =>
      execute('nsenter', [`--net=/proc/${pid}/ns/net`, '--', 'sh', '-c', line], {timeoutMs: 60_000});
    return {
      pid,
      child,
      try: attempt,
      sh: async (line) => output(line, await attempt(line)),
      async serve(port, text, {address = '0.0.0.0', udp = false} = {}) {
        children.push(await startServer(`/proc/${pid}/ns/net`, [udp ? 'udp' : 'text', address, String(port), text]));
      },
    };
  };
  const machine: NetworkMachine = {
    host,
    layout,
    helper,
    networks,
    events,
    files,
    sh,
    try: attemptHere,
    another: () => build(),
    async otherRoot() {
      const paths = {root: `${host.root}-other`, run: `${host.run}-other`};
      const other = createLayout(paths);
      await ensureRoot(other);
      return {
        networks: build(other),
        async [Symbol.asyncDispose]() {
          for (const path of Object.values(paths)) rmSync(path, {recursive: true, force: true});
        },
      };
    },
    async start(request) {
      const record = recordOf(request);
      const directory = layout.container(record.id).directory;
      mkdirSync(directory, {recursive: true});
      const starting = await helper.lock(layout.container(record.id).operationLock);
      const plan = await networks.endpoints.plan(record, request.name);
      const inside = await namespace();
      const monitor = await helper.lock(layout.container(record.id).lock);
      await starting[Symbol.asyncDispose]();
      const proxies = await startProxies(host, plan.operations);
      children.push(...proxies);
      const run = (when: string) => runBatches(host, inside.pid, plan.operations, when);
      const end = async () => {
        for (const proxy of proxies) proxy.kill('SIGKILL');
        inside.child.kill('SIGKILL');
        await once(inside.child, 'exit');
        await monitor[Symbol.asyncDispose]();
      };
      const refused = [...(await run('attach')), ...(await run('inside'))];
      if (refused.length > 0) throw new Error(`the kernel refused: ${JSON.stringify(refused)}`);
      return {
        ...inside,
        record,
        plan,
        async stop() {
          await run('detach');
          for (const operation of plan.operations) if (operation.kind === 'cleanup') unlinkSync(String(operation.path));
          await end();
          rmSync(directory, {recursive: true});
        },
        async die() {
          const peers = [...(await inside.sh('ip -o link')).matchAll(/@if(\d+):/g)].map(([, index]) => index);
          await end();
          // The kernel takes a namespace apart later; as long as its interface is there, the container passes for alive.
          await eventually(async () => {
            const links = (await sh('ip -o link')).split('\n').map((line) => line.split(':')[0]);
            for (const peer of peers) expect(links).not.toContain(peer);
          });
        },
      };
    },
    async neighbour({machine: machineAddress, own}) {
      const inside = await namespace();
      const name = `lan${randomBytes(3).toString('hex')}`;
      await sh(`ip link add ${name} type veth peer name eth0 netns ${inside.pid}; ip link set ${name} up`);
      await inside.sh('ip link set lo up; ip link set eth0 up');
      const [one, other] = machineAddress.includes(':') ? ['nodad', 'nodad'] : ['', ''];
      await sh(`ip addr add ${machineAddress} dev ${name} ${one}`);
      await inside.sh(`ip addr add ${own} dev eth0 ${other}; ip route add default via ${machineAddress.split('/')[0]}`);
      return inside;
    },
    async [Symbol.asyncDispose]() {
      await helper.close();
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await host[Symbol.asyncDispose]();
    },
  };
  return machine;
}

function output(line: string, {code, stdout, stderr}: CommandResult): string {
  if (code !== 0) throw new Error(`${line}: exit code ${code}: ${stderr}`);
  return stdout;
}

function recordOf({name, networks, host = {}, exposed = [], hostname}: ContainerRequest): ContainerRecord {
  const id = randomBytes(32).toString('hex');
  const [first = 'none'] = Object.keys(networks);
  return {
    v: 1,
    id,
    name,
    created: '2026-01-02T03:04:05.000000006Z',
    image: {id: 'sha256:0', reference: 'none', os: 'linux', architecture: 'amd64', layers: []},
    config: {Hostname: hostname ?? id.slice(0, 12), ExposedPorts: Object.fromEntries(exposed.map((key) => [key, {}]))},
    hostConfig: {NetworkMode: first, ...host},
    endpoints: networks,
    mounts: [],
    files: [],
  };
}

/** What a monitor does with published ports, for TCP: connections to the machine are carried to the container. */
async function startProxies(host: TestHost, operations: readonly MonitorOperation[]): Promise<readonly ChildProcess[]> {
  const proxies: ChildProcess[] = [];
  for (const operation of operations) {
    if (operation.kind !== 'publish' || operation.protocol !== 'tcp') continue;
    const {hostAddress, hostPort, containerAddress, containerPort} = operation;
    const words = ['proxy', hostAddress, hostPort, containerAddress, containerPort];
    proxies.push(await startServer(`/run/netns/${host.namespace}`, words.map(String)));
  }
  return proxies;
}

/** serve.py in a namespace, once it listens. */
async function startServer(namespace: string, words: readonly string[]): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'serve.py');
  const child = spawn('nsenter', [`--net=${namespace}`, '--', 'python3', script, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout) await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  if (child.exitCode !== null) throw new Error(`serve.py ${words.join(' ')}: ended`);
  return child;
}

interface Refused {
  readonly when: string;
  readonly errno: string;
}

async function runBatches(
  host: TestHost,
  pid: number,
  operations: readonly MonitorOperation[],
  when: string,
): Promise<readonly Refused[]> {
  const batches = operations.flatMap((operation) =>
    operation.kind === 'netlinkBatch' && operation.when === when
      ? [{when, family: operation.family, data: Buffer.from(operation.batch as Uint8Array).toString('base64')}]
      : [],
  );
  const input = JSON.stringify({container: `/proc/${pid}/ns/net`, batches});
  const script = join(import.meta.dirname, 'run-batches.py');
  return JSON.parse(output('run-batches.py', await host.command('python3', [script], {input}))) as readonly Refused[];
}

/** Settings below /proc/sys are those of the namespace of whoever opens them. */
function filesIn(host: TestHost): MachineFiles {
  return {
    async readSetting(name) {
      const {code, stdout} = await host.command('cat', [`/proc/sys/${name}`]);
      return code === 0 ? stdout.trim() : undefined;
    },
    async writeSetting(name, value) {
      output(name, await host.command('sh', ['-c', `echo ${value} > /proc/sys/${name}`]));
    },
    readLegacyTables: async () => (await host.command('cat', ['/proc/net/ip_tables_names'])).stdout,
    async sendDatagram({address, port, hops}) {
      const script = `import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ${hops}); s.sendto(b"x", ("${address}", ${port}))`;
      output('python3', await host.command('python3', ['-c', script]));
    },
    readResolvConf: async () => 'nameserver 192.0.2.53\nsearch example.org\n',
  };
}

/** Who asks, and for how many seconds it waits where no answer comes: long unless none is expected. */
type Asker = Pick<Namespace, 'try'>;
const patience = 25;
const briefly = 1;

/** The first word that a TCP server answers. */
export async function ask(where: Asker, address: string, port: number): Promise<string> {
  return (await askFull(where, address, port)).split(' ')[0] ?? '';
}

/** What a server of ours answers: its text, and the address it was asked from. */
export async function askFull(where: Asker, address: string, port: number, seconds = patience): Promise<string> {
  return (await where.try(`busybox nc -w ${seconds} ${address} ${port} </dev/null`)).stdout.trim();
}

/** Nothing answers there. */
export async function isSilent(where: Asker, address: string, port: number): Promise<boolean> {
  return (await askFull(where, address, port, briefly)) === '';
}

export async function askUdp(where: Asker, address: string, port: number): Promise<string> {
  const family = address.includes(':') ? 'AF_INET6' : 'AF_INET';
  const script = `import socket; s = socket.socket(socket.${family}, socket.SOCK_DGRAM); s.settimeout(${patience}); s.connect(("${address}", ${port})); s.send(b"x"); print(s.recv(99).decode())`;
  return (await where.try(`python3 -c '${script}'`)).stdout.trim();
}

export async function reaches(where: Asker, address: string, seconds = patience): Promise<boolean> {
  return (
    (await where.try(`busybox ping${address.includes(':') ? ' -6' : ''} -c 1 -W ${seconds} ${address}`)).code === 0
  );
}

export async function isCutOff(where: Asker, address: string): Promise<boolean> {
  return !(await reaches(where, address, briefly));
}
