import type {ContainerConfig, EndpointSettings, PortMap} from '../../api/types/container.ts';
import type {VolumeCreateBody, VolumeInspect} from '../../api/types/volume.ts';
import type {Now} from '../clock.ts';
import type {Events} from '../events.ts';
import type {Helper} from '../helper/coprocess.ts';
import type {MonitorOperation, NetworkOperation, SetupOperation} from '../helper/operations.ts';
import type {Layout} from '../layout.ts';
import type {ExecRecords} from './exec-records.ts';
import type {Machine} from './machine.ts';
import type {ContainerRecord, RecordedImage} from './record.ts';

/** An image as containers need it. */
export interface ContainerImage extends RecordedImage {
  readonly config: ContainerConfig;
}

/** How a container's root file system is stacked. */
export interface ImageRoot {
  /** Unpacked layers, top first. */
  readonly lowers: readonly string[];
  /** Steps after the overlay: the built-in image binds the machine's programs. */
  readonly operations: readonly SetupOperation[];
}

/** An image that is to be made of a container. */
export interface CommitRequest {
  /** Id of the image that the container was made from. */
  readonly base: string;
  /** What the image is to say; changes are applied to it. */
  readonly config: ContainerConfig;
  /** Dockerfile lines: `CMD ["sh"]`. */
  readonly changes: readonly string[];
  /** What made the layer, for the image's history. */
  readonly createdBy: string;
  readonly comment: string;
  readonly author: string;
  readonly repository?: string;
  readonly tag?: string;
}

/** What containers ask of images. */
export interface ImageSource {
  /** Throws `notFound` ("No such image: …"). */
  resolve(reference: string, platform?: string): Promise<ContainerImage>;
  /** Throws `notFound` when a layer is gone. */
  root(image: Pick<RecordedImage, 'id'>): Promise<ImageRoot>;
  /** Throws for a commit that cannot be made, whatever the container holds. */
  checkCommit(request: CommitRequest): void;
  /** Puts a layer upon an image. Answers the new image's id. */
  commit(request: CommitRequest, layer: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<string>;
}

/** What containers ask of volumes. */
export interface VolumeSource {
  /** Mounts it where it has a file system of its own; nobody unmounts it until what is answered is disposed of. */
  use(name: string): Promise<VolumeUse>;
  /** Unmounts it where nobody uses it: what a killed process left. */
  settle(name: string): Promise<void>;
  create(body: VolumeCreateBody): Promise<VolumeInspect>;
  inspect(name: string): Promise<VolumeInspect>;
  remove(name: string, options?: {readonly force?: boolean}): Promise<void>;
}

/** A volume that is about to be used. */
export interface VolumeUse extends AsyncDisposable {
  readonly directory: string;
  /** The file whose lock whoever uses it goes on holding, shared; absent: nothing is mounted for it. */
  readonly lock?: string;
}

/** A container's place in its networks, for one run. */
export interface NetworkPlan {
  /** Network mode, netlink batches, publishing, name service, clean-up of name files. */
  readonly operations: readonly MonitorOperation[];
  /** Own addresses, for /etc/hosts. */
  readonly addresses: readonly string[];
  /** Where the container asks for names. Absent: the machine's servers. */
  readonly nameServer?: string;
  /** The machine, as seen from the container (`host-gateway`). Absent: there is no way to it. */
  readonly gateway?: string;
  /** Text of the container's resolv.conf. */
  readonly resolvConf: string;
  /** Some published port was chosen, not asked for: a start that fails for want of it can be tried again. */
  readonly ephemeral: boolean;
  /** Says of a failed launch who has the port, where that was it. */
  explain(error: unknown): Promise<unknown>;
}

/** How the networks of a running container change, for its monitor. */
export interface NetworkChange {
  readonly operations: readonly (MonitorOperation | NetworkOperation)[];
  /** Own addresses, for /etc/hosts. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Lines of resolv.conf, where it comes to its first network. */
  readonly resolvConf?: {readonly removed: string; readonly added: string};
}

/** What containers ask of networks. */
export interface EndpointSource {
  /** Leases addresses and plans a run. Throws `notFound` for a network that does not exist. */
  plan(record: ContainerRecord, name: string): Promise<NetworkPlan>;
  /** The name of a network that a container is to join or to leave, by which its record lists it. Throws `notFound`. */
  nameOf(reference: string): Promise<string>;
  /**
   * Takes a running container from the networks of one record to those of another: `carryOut` has its monitor do it. Throws
   * what `plan` throws.
   */
  change(
    records: {readonly before: ContainerRecord; readonly after: ContainerRecord; readonly name: string},
    carryOut: (change: NetworkChange) => Promise<void>,
  ): Promise<void>;
  /** Takes away what a container that is gone left on a network. `reference`: its name or id. Throws `notFound`. */
  forget(network: string, reference: string): Promise<void>;
  /** Throws what a start would throw for these settings of an endpoint on a network. */
  check(reference: string, settings: EndpointSettings): Promise<void>;
  /** Gives back what `plan` took, and clears what a lost monitor left behind. */
  release(record: ContainerRecord): Promise<void>;
  /** The name service answers to the new name of a running container from now on. */
  rename(record: ContainerRecord, name: string): Promise<void>;
  /** The networks that its events tell of, also those that are no network. */
  membersOf(
    record: ContainerRecord,
  ): Promise<readonly {readonly id: string; readonly name: string; readonly driver: string}[]>;
  /** As inspect and list answer it. */
  describe(
    container: {readonly record: ContainerRecord; readonly name: string},
    running: boolean,
  ): Promise<EndpointDescription>;
}

export interface EndpointDescription {
  readonly networks: Readonly<Record<string, EndpointSettings>>;
  readonly ports: PortMap;
}

/** What the operations on containers work with. */
export interface ContainerContext {
  readonly layout: Layout;
  readonly helper: Helper;
  /** Without root: the same, in the machine's network namespace. */
  readonly outsideHelper?: Helper | undefined;
  readonly events: Events;
  readonly now: Now;
  /** Of the machine's running kernel: a state of another boot is nobody's. */
  readonly bootId: string;
  readonly images: ImageSource;
  readonly volumes: VolumeSource;
  readonly endpoints: EndpointSource;
  readonly execs: ExecRecords;
  /** Containers are made also where the machine cannot keep them to their limits. */
  readonly allowMissingLimits?: boolean | undefined;
  /** Containers that have ended and are being cleared up; none of them rejects. */
  readonly endings: Set<Promise<unknown>>;
  /** Aborted when the engine is closed. */
  readonly closing: AbortSignal;
  /** What the running kernel offers; read once, when the first container starts. */
  readonly machine: () => Promise<Machine>;
  /** Where files describe devices of the machine. */
  readonly cdiDirectories: readonly string[];
  /** The machine's host name, for containers in its network. */
  readonly hostName: string;
  /** Name of the cgroup directory in each hierarchy, below which ours are. */
  readonly cgroupParent: string;
  /** Variables that containers are started with, and that are written down nowhere: secrets of builds. */
  readonly unrecorded?: readonly string[];
}
