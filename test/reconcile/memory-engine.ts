import {randomBytes} from 'node:crypto';
import {PassThrough} from 'node:stream';
import {setTimeout as delay} from 'node:timers/promises';
import type {
  ContainerCreateBody,
  ContainerInspect,
  ContainerStatus,
  ContainerSummary,
  Health,
  MountPoint,
} from '../../src/api/types/container.ts';
import type {ImageDeleteItem, ImageInspect} from '../../src/api/types/image.ts';
import type {NetworkCreateBody, NetworkInspect} from '../../src/api/types/network.ts';
import type {EngineEvent, Filters} from '../../src/api/types/system.ts';
import type {VolumeCreateBody, VolumeInspect} from '../../src/api/types/volume.ts';
import {TscomposeError} from '../../src/base/errors.ts';
import type {ContainerCalls, EngineClient, ExecCalls} from '../../src/reconcile/engine-client.ts';

/** What a container of an image does once it is started. */
export interface Behaviour {
  /** Ends by itself with this code. */
  readonly exit?: number;
  /** What its probe says in the end. */
  readonly health?: 'healthy' | 'unhealthy';
  readonly probeOutput?: string;
  readonly log?: string;
  /** Before it ends, or its health is known. */
  readonly afterMs?: number;
  /** What a command that is run in it does; absent: it ends at once with 0. */
  readonly exec?: (command: readonly string[]) => {readonly exitCode: number; readonly output?: string} | 'hangs';
  /** Volumes that the image declares. */
  readonly volumes?: readonly string[];
}

export interface MemoryContainer {
  readonly id: string;
  name: string;
  readonly body: ContainerCreateBody;
  readonly mounts: MountPoint[];
  status: ContainerStatus;
  exitCode: number;
  health: Health['Status'] | undefined;
  /** Raised at each start. */
  run: number;
  /** In ms of a clock that goes on by one with each event. */
  startedAt: number;
  /** By its policy. */
  restarts: number;
}

/** One call of a client, as the hooks see it: `start shop-db-1`. */
export type Call = string;

export interface ClientOptions {
  /** Off: an engine without project locks. */
  readonly locks?: boolean;
  /** Called before each call that changes something; may throw. */
  readonly before?: (call: Call) => void | Promise<void>;
}

/** An engine that keeps everything in memory and behaves like Docker's towards the reconciler. */
export class MemoryEngine {
  readonly containers = new Map<string, MemoryContainer>();
  readonly networks = new Map<string, NetworkInspect>();
  readonly volumes = new Map<string, VolumeInspect>();
  readonly images = new Map<string, {id: string; behaviour: Behaviour; taggedAt?: number}>();
  /** What can be pulled. */
  readonly registry = new Map<string, {readonly id: string; readonly behaviour: Behaviour}>();
  /** Every call that changed something, in order. */
  readonly calls: Call[] = [];
  /** Everything that happened, for a replay. */
  readonly #events: EngineEvent[] = [];
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #locks = new Map<string, Promise<void>>();

  addImage(name: string, behaviour: Behaviour = {}): void {
    this.images.set(name, {id: `sha256:${name}`, behaviour});
  }

  /** A client as one process has it. */
  client(options: ClientOptions = {}): EngineClient {
    const change = async <T>(call: Call, make: () => T): Promise<T> => {
      await delay(0);
      await options.before?.(call);
      const result = make();
      this.calls.push(call);
      return result;
    };
    return {
      listContainers: async ({filters} = {}) =>
        [...this.containers.values()]
          .filter(({body}) => matches(body.Labels ?? undefined, filters))
          .map((container) => this.#summary(container)),
      listNetworks: async ({filters} = {}) =>
        [...this.networks.values()].filter(({Labels}) => matches(Labels, filters)),
      listVolumes: async ({filters} = {}) => ({
        Volumes: [...this.volumes.values()].filter(({Labels}) => matches(Labels ?? {}, filters)),
        Warnings: null,
      }),
      createContainer: ({name = '', platform: _platform, abortSignal: _signal, ...body}) =>
        change(`create ${name}`, () => this.#create(name, body)),
      createNetwork: (body) => change(`createNetwork ${body.Name}`, () => this.#createNetwork(body)),
      createVolume: (body = {}) => change(`createVolume ${body.Name}`, () => this.#createVolume(body)),
      getContainer: (id) => this.#containerCalls(id, change),
      getNetwork: (name) => ({remove: () => change(`removeNetwork ${name}`, () => this.#removeNetwork(name))}),
      getVolume: (name) => ({remove: () => change(`removeVolume ${name}`, () => this.#removeVolume(name))}),
      getImage: (name) => ({
        inspect: async () => this.#inspectImage(name),
        remove: () => change(`removeImage ${name}`, () => this.#removeImage(name)),
      }),
      pull: async (name) => {
        await change(`pull ${name}`, () => this.#pull(name));
        return progressOf([
          {id: 'layer', status: 'Downloading', progressDetail: {current: 1_000_000, total: 2_000_000}},
        ]);
      },
      getEvents: async ({abortSignal, since, until} = {}) =>
        until === undefined ? this.#follow(abortSignal, since) : this.#replay(),
      lockProject: async (project, lockOptions) =>
        options.locks === false ? undefined : this.#lock(project, lockOptions?.onWait),
    };
  }

  /** The container of that name; fails where there is none. */
  named(name: string): MemoryContainer {
    const container = [...this.containers.values()].find((one) => one.name === name);
    if (container === undefined) throw new Error(`no container ${name}`);
    return container;
  }

  names(status?: ContainerStatus): string[] {
    return [...this.containers.values()]
      .filter((container) => status === undefined || container.status === status)
      .map(({name}) => name)
      .sort();
  }

  /** The probe of a container that runs has come to an answer. */
  probe(container: MemoryContainer, health: 'healthy' | 'unhealthy'): void {
    if (container.status !== 'running') return;
    container.health = health;
    this.#emit(`health_status: ${health}`, container);
  }

  /** The process of a container ends. */
  exit(container: MemoryContainer, exitCode: number): void {
    if (container.status !== 'running') return;
    container.status = 'exited';
    container.exitCode = exitCode;
    this.#emit('die', container);
  }

  #containerCalls(id: string, change: <T>(call: Call, make: () => T) => Promise<T>): ContainerCalls {
    const called = (verb: string): Call => `${verb} ${this.containers.get(id)?.name ?? id}`;
    return {
      inspect: async () => this.#inspect(this.#get(id)),
      start: () => change(called('start'), () => this.#start(this.#get(id))),
      stop: () => change(called('stop'), () => this.#stop(this.#get(id))),
      restart: () =>
        change(called('restart'), () => {
          const container = this.#get(id);
          this.exit(container, 137);
          this.#start(container);
        }),
      kill: () => change(called('kill'), () => this.exit(this.#get(id), 137)),
      pause: () =>
        change(called('pause'), () => {
          this.#get(id).status = 'paused';
        }),
      unpause: () =>
        change(called('unpause'), () => {
          this.#get(id).status = 'running';
        }),
      remove: ({v} = {}) =>
        change(`${called('remove')}${v === true ? ' -v' : ''}`, () => this.#remove(this.#get(id), v === true)),
      rename: ({name}) =>
        change(`rename ${this.containers.get(id)?.name ?? id} ${name}`, () => this.#rename(this.#get(id), name)),
      exec: ({Cmd = []}) => change(`${called('exec')} ${Cmd.join(' ')}`, () => this.#exec(this.#get(id), Cmd)),
      logs: async () => {
        const text = this.images.get(this.#get(id).body.Image ?? '')?.behaviour.log ?? '';
        return (async function* () {
          yield {stream: 'stdout' as const, data: new TextEncoder().encode(text), time: ''};
        })();
      },
    };
  }

  #get(id: string): MemoryContainer {
    const container = this.containers.get(id);
    if (container === undefined) throw new TscomposeError('notFound', `no such container: ${id}`);
    return container;
  }

  #create(name: string, body: ContainerCreateBody): {id: string} {
    this.#requireFreeName(name);
    const image = this.images.get(body.Image ?? '');
    if (image === undefined) throw new TscomposeError('notFound', `no such image: ${body.Image}`);
    for (const network of Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {})) {
      if (!this.networks.has(network)) throw new TscomposeError('notFound', `network ${network} not found`);
    }
    const id = randomBytes(32).toString('hex');
    const stated = body.HostConfig?.Mounts ?? [];
    const declared = (image.behaviour.volumes ?? []).filter((target) => !stated.some(({Target}) => Target === target));
    const mounts = [...stated, ...declared.map((Target) => ({Type: 'volume' as const, Target, Source: undefined}))].map(
      (mount): MountPoint => {
        const volume = mount.Type === 'volume' ? (mount.Source ?? randomBytes(32).toString('hex')) : undefined;
        const labels = 'VolumeOptions' in mount ? (mount.VolumeOptions?.Labels ?? {}) : {};
        if (volume !== undefined && !this.volumes.has(volume)) this.#createVolume({Name: volume, Labels: labels});
        return {
          Type: mount.Type as MountPoint['Type'],
          ...(volume === undefined ? {} : {Name: volume}),
          Source: mount.Source ?? '',
          Destination: mount.Target,
          Mode: '',
          RW: true,
          Propagation: '',
        };
      },
    );
    this.containers.set(id, {
      id,
      name,
      body,
      mounts,
      status: 'created',
      exitCode: 0,
      health: undefined,
      run: 0,
      startedAt: 0,
      restarts: 0,
    });
    return {id};
  }

  #start(container: MemoryContainer): void {
    if (container.status === 'running') throw new TscomposeError('notModified', 'it runs already');
    container.status = 'running';
    container.run += 1;
    container.startedAt = this.#events.length;
    const {run} = container;
    const {exit, health, afterMs = 1} = this.images.get(container.body.Image ?? '')?.behaviour ?? {};
    container.health = health === undefined ? undefined : 'starting';
    this.#emit('start', container);
    if (exit === undefined && health === undefined) return;
    setTimeout(() => {
      if (container.run !== run || container.status !== 'running') return;
      if (health !== undefined) this.probe(container, health);
      if (exit !== undefined) this.exit(container, exit);
    }, afterMs);
  }

  #exec(container: MemoryContainer, command: readonly string[]): ExecCalls {
    if (container.status !== 'running')
      throw new TscomposeError('conflict', `container ${container.id} is not running`);
    const execID = randomBytes(8).toString('hex');
    this.#emit(`exec_create: ${command.join(' ')}`, container, {execID});
    const run = this.images.get(container.body.Image ?? '')?.behaviour.exec?.(command) ?? {exitCode: 0};
    let leave: () => void = () => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    const output = async function* (this: MemoryEngine) {
      if (run === 'hangs') return await left;
      yield {stream: 'stdout' as const, data: Buffer.from(run.output ?? '')};
      this.#emit('exec_die', container, {execID, exitCode: String(run.exitCode)});
    }.bind(this);
    return {
      id: execID,
      start: async () => ({stdin: new PassThrough(), output: output(), close: leave}),
      inspect: async ({abortSignal} = {}) => {
        abortSignal?.throwIfAborted();
        return {ExitCode: run === 'hangs' ? null : run.exitCode};
      },
    };
  }

  #stop(container: MemoryContainer): void {
    if (container.status !== 'running') throw new TscomposeError('notModified', 'it does not run');
    this.exit(container, 143);
  }

  #remove(container: MemoryContainer, volumes: boolean): void {
    this.exit(container, 137);
    this.containers.delete(container.id);
    for (const {Name} of volumes ? container.mounts : []) {
      if (Name !== undefined && /^[0-9a-f]{64}$/.test(Name)) this.volumes.delete(Name);
    }
    this.#emit('destroy', container);
  }

  #rename(container: MemoryContainer, name: string): void {
    this.#requireFreeName(name);
    container.name = name;
  }

  #requireFreeName(name: string): void {
    if (this.names().includes(name)) throw new TscomposeError('conflict', `the name "${name}" is in use`);
  }

  #createNetwork(body: NetworkCreateBody): {id: string} {
    if (this.networks.has(body.Name)) throw new TscomposeError('conflict', `network ${body.Name} exists`);
    const network: NetworkInspect = {
      Name: body.Name,
      Id: randomBytes(32).toString('hex'),
      Created: '',
      Scope: 'local',
      Driver: 'bridge',
      EnableIPv4: true,
      EnableIPv6: false,
      IPAM: {},
      Internal: body.Internal ?? false,
      Attachable: false,
      Ingress: false,
      Containers: {},
      Options: {},
      Labels: body.Labels ?? {},
    };
    this.networks.set(body.Name, network);
    return {id: network.Id};
  }

  #removeNetwork(name: string): void {
    if (!this.networks.has(name)) throw new TscomposeError('notFound', `no such network: ${name}`);
    const users = [...this.containers.values()].filter(
      ({body, status}) => status === 'running' && Object.hasOwn(body.NetworkingConfig?.EndpointsConfig ?? {}, name),
    );
    if (users.length > 0)
      throw new TscomposeError('conflict', `cannot remove network "${name}": ${users.length} containers are attached`);
    this.networks.delete(name);
  }

  #createVolume(body: VolumeCreateBody): VolumeInspect {
    const name = body.Name ?? randomBytes(32).toString('hex');
    const volume: VolumeInspect = this.volumes.get(name) ?? {
      Name: name,
      Driver: 'local',
      Mountpoint: '',
      CreatedAt: '',
      Labels: body.Labels ?? {},
      Scope: 'local',
      Options: null,
    };
    this.volumes.set(name, volume);
    return volume;
  }

  #removeVolume(name: string): void {
    if (!this.volumes.has(name)) throw new TscomposeError('notFound', `no such volume: ${name}`);
    if ([...this.containers.values()].some(({mounts}) => mounts.some(({Name}) => Name === name))) {
      throw new TscomposeError('conflict', `volume ${name} is in use`);
    }
    this.volumes.delete(name);
  }

  #pull(name: string): void {
    const found = this.registry.get(name.replace(/:latest$/, ''));
    if (found === undefined)
      throw new TscomposeError('notFound', `registry docker.io: manifest ${name}: manifest unknown`);
    this.images.set(name.replace(/:latest$/, ''), found);
  }

  #removeImage(name: string): readonly ImageDeleteItem[] {
    if (!this.images.has(name)) throw new TscomposeError('notFound', `no such image: ${name}`);
    if ([...this.containers.values()].some(({body}) => body.Image === name))
      throw new TscomposeError('conflict', 'a container uses it');
    this.images.delete(name);
    return [{Untagged: name}];
  }

  #inspectImage(name: string): ImageInspect {
    const image = this.images.get(name);
    if (image === undefined) throw new TscomposeError('notFound', `no such image: ${name}`);
    const volumes = Object.fromEntries((image.behaviour.volumes ?? []).map((target) => [target, {}]));
    const {taggedAt} = image;
    const metadata = taggedAt === undefined ? {} : {Metadata: {LastTagTime: new Date(taggedAt).toISOString()}};
    return {Id: image.id, Config: {Volumes: volumes}, ...metadata} as ImageInspect;
  }

  #summary({id, name, body, mounts, status}: MemoryContainer): ContainerSummary {
    const networks = Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {});
    return {
      Id: id,
      Names: [`/${name}`],
      Image: body.Image ?? '',
      ImageID: `sha256:${body.Image}`,
      Command: '',
      Created: 0,
      Ports: [],
      Labels: body.Labels ?? {},
      State: status,
      Status: '',
      HostConfig: {NetworkMode: ''},
      NetworkSettings: {
        Networks: Object.fromEntries(
          networks.map((network) => [network, {NetworkID: this.networks.get(network)?.Id ?? ''}]),
        ),
      },
      Mounts: mounts,
    };
  }

  #inspect({id, name, body, status, exitCode, health, startedAt, restarts}: MemoryContainer): ContainerInspect {
    const behaviour = this.images.get(body.Image ?? '')?.behaviour;
    const log = [{Start: '', End: '', ExitCode: health === 'healthy' ? 0 : 1, Output: behaviour?.probeOutput ?? ''}];
    return {
      Id: id,
      Name: `/${name}`,
      Config: body,
      RestartCount: restarts,
      State: {
        Status: status,
        ExitCode: exitCode,
        StartedAt: new Date(startedAt).toISOString(),
        ...(health === undefined
          ? {}
          : {Health: {Status: health, FailingStreak: 0, Log: health === 'starting' ? [] : log}}),
      },
    } as unknown as ContainerInspect;
  }

  /** As an engine that keeps the last of its events only. */
  forgetEvents(): void {
    this.#events.length = 0;
  }

  async *#replay(): AsyncGenerator<EngineEvent> {
    yield* this.#events;
  }

  async *#follow(signal: AbortSignal | undefined, since: number | undefined): AsyncGenerator<EngineEvent> {
    const queue: EngineEvent[] = since === undefined ? [] : [...this.#events];
    let wake: (() => void) | undefined;
    const listener = (event: EngineEvent): void => {
      queue.push(event);
      wake?.();
    };
    this.#listeners.add(listener);
    signal?.addEventListener('abort', () => wake?.());
    try {
      while (signal?.aborted !== true) {
        const event = queue.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }

  #emit(Action: string, {id, name}: MemoryContainer, attributes: Readonly<Record<string, string>> = {}): void {
    const event: EngineEvent = {
      Type: 'container',
      Action,
      Actor: {ID: id, Attributes: {name, ...attributes}},
      scope: 'local',
      time: 0,
      timeNano: this.#events.length * 1e6,
    };
    this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  async #lock(project: string, onWait?: () => void): Promise<AsyncDisposable> {
    if (this.#locks.has(project)) onWait?.();
    for (let holder = this.#locks.get(project); holder !== undefined; holder = this.#locks.get(project)) await holder;
    let release: () => void = () => undefined;
    this.#locks.set(project, new Promise<void>((resolve) => (release = resolve)));
    return {
      [Symbol.asyncDispose]: async () => {
        this.#locks.delete(project);
        release();
      },
    };
  }
}

function matches(labels: Readonly<Record<string, string>> | undefined, filters: Filters | undefined): boolean {
  return (filters?.['label'] ?? []).every((filter) => {
    const end = filter.indexOf('=');
    return labels?.[filter.slice(0, end)] === filter.slice(end + 1);
  });
}

async function* progressOf<T>(lines: readonly T[]): AsyncGenerator<T> {
  yield* lines;
}
