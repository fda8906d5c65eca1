import {join} from 'node:path';
import {sha256Hex} from '../base/canonical-json.ts';

/** Where everything is, from the two directories of a root. Pure: touches nothing. See docs/architecture.md. */
export interface Layout {
  readonly root: string;
  readonly run: string;
  /** 10 hex digits of the root's path: keeps the machine-wide names of two roots apart. */
  readonly rootHash: string;
  readonly format: string;
  readonly journal: string;
  readonly olderJournal: string;
  readonly locks: LockPaths;
  readonly images: ImagePaths;
  readonly names: string;
  /** The file that reserves a container's name and holds its id. */
  name(containerName: string): string;
  /** Links to where containers of a user have their cgroups. */
  readonly cgroups: string;
  readonly containers: string;
  container(id: string): ContainerPaths;
  readonly networks: string;
  network(id: string): NetworkPaths;
  readonly volumes: string;
  volume(name: string): VolumePaths;
  readonly build: BuildPaths;
  /** Every directory that exists in a usable root, parents first. */
  readonly directories: readonly string[];
}

export interface LockPaths {
  readonly directory: string;
  /** Shared by every process that uses the root, exclusive while its format changes. */
  readonly root: string;
  /** Shared while content is looked for and named in a lease, exclusive while records change or garbage is told. */
  readonly images: string;
  /** Held by whoever brings a blob, given as `sha256:…` or bare hex. */
  blob(digest: string): string;
  /** Held by whoever unpacks the layer of this directory. */
  layer(directory: string): string;
  /** Held by the build that makes the step of this key. */
  step(key: string): string;
  /** Shared while a container is being made from an image, exclusive while it is decided that nobody uses one. */
  readonly imageUse: string;
  /** The same for volumes. */
  readonly volumeUse: string;
  /** Rotation of the journal. */
  readonly events: string;
  /** Shared while a container is being started, exclusive while the cgroups above all of them are removed. */
  readonly cgroups: string;
  project(name: string): string;
  /** Bridges, address leases, the firewall: everything about networks that one process changes at a time. */
  readonly networks: string;
  volume(name: string): string;
  /** Held shared by whoever uses a volume that is mounted for it. */
  volumeMount(name: string): string;
}

export interface ImagePaths {
  readonly directory: string;
  readonly oci: string;
  readonly blobs: string;
  readonly references: string;
  /** The record of a normalised reference (`docker.io/library/redis:latest`). */
  reference(normalised: string): string;
  readonly records: string;
  /** The record of an image id, given as `sha256:…` or bare hex. */
  record(id: string): string;
  readonly layers: string;
  /** Where their directories are begun, see `nurseries.ts`. */
  readonly nurseries: string;
  /** The unpacked layer of a diff ID, given as `sha256:…` or bare hex. */
  layer(diffId: string): string;
  /** What is known of each directory under `layers`. */
  readonly layerRecords: string;
  layerRecord(directory: string): string;
  /** Blobs that are not whole yet, under their digests. */
  readonly ingests: string;
  ingest(digest: string): string;
  /** Files held by whoever adds content: they name it. */
  readonly leases: string;
  /** What needs content and is no image. */
  readonly pins: string;
  pin(name: string): string;
  /** What the registry of this root holds (`src/engine/hosting`): there once one was served. */
  readonly hosted: string;
}

export interface ContainerPaths {
  readonly directory: string;
  readonly config: string;
  readonly exit: string;
  /** There while a run is under way. */
  readonly begun: string;
  readonly log: string;
  readonly upper: string;
  readonly work: string;
  /** Of a second mount of the same tree, which may overlap with the start of a run: the kernel clears it. */
  readonly workBeside: string;
  /** Contents of files given with the create body (configs and secrets), each 0600. */
  readonly files: string;
  /** Held by the monitor for its life. */
  readonly lock: string;
  /** Whoever waits to attach at the next start has a lock in here. */
  readonly attaching: string;
  /** Locked by a commit for as long as it keeps the container paused. */
  readonly committing: string;
  /** Held for the length of one operation: start, stop, remove, rename. */
  readonly operationLock: string;
  /** What was synced into it, and what came after that. */
  readonly synced: string;
  readonly syncedJournal: string;
  /** The archive of a sync that is under way, or was killed. */
  readonly syncArchive: string;
  readonly run: string;
  readonly state: string;
  readonly control: string;
  /** The container writes to these three, as much as it likes: not beneath `run`, which is memory of the machine. */
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export interface NetworkPaths {
  readonly directory: string;
  readonly config: string;
  readonly run: string;
  /** Name files of the running containers: also the leases of their addresses. */
  readonly names: string;
  /** What is known of each running container on it, beside its name file. */
  readonly endpoints: string;
}

export interface BuildPaths {
  readonly directory: string;
  /** What steps resulted in, by their keys. */
  readonly cache: string;
  /** What the steps of each Dockerfile were made of when they were built last. */
  readonly slots: string;
  /** What runs keep from one build to the next. */
  readonly mounts: string;
  /** Digests of the files of each context. */
  readonly contexts: string;
  /** What clients sent of their contexts. */
  readonly received: string;
}

export interface VolumePaths {
  readonly directory: string;
  readonly config: string;
  readonly data: string;
}

function bareDigest(digest: string): string {
  return digest.startsWith('sha256:') ? digest.slice(7) : digest;
}

/** 10 hex digits of a root's path. */
export function hashOfRoot(root: string): string {
  return sha256Hex(root).slice(0, 10);
}

/** `root` and `run` are absolute. */
export function createLayout({root, run}: {readonly root: string; readonly run: string}): Layout {
  const locks = join(root, 'locks');
  const images = join(root, 'images');
  const oci = join(images, 'oci');
  const references = join(images, 'references');
  const records = join(images, 'records');
  const layers = join(root, 'layers');
  const layerRecords = join(images, 'layers');
  const ingests = join(images, 'ingest');
  const leases = join(images, 'leases');
  const pins = join(images, 'pins');
  const names = join(root, 'names');
  const containers = join(root, 'containers');
  const networks = join(root, 'networks');
  const volumes = join(root, 'volumes');
  const build = join(root, 'build');
  const runContainers = join(run, 'containers');
  const runNetworks = join(run, 'networks');
  const blobs = join(oci, 'blobs', 'sha256');
  return {
    root,
    run,
    rootHash: hashOfRoot(root),
    format: join(root, 'format'),
    journal: join(root, 'events.ndjson'),
    olderJournal: join(root, 'events.1.ndjson'),
    locks: {
      directory: locks,
      root: join(locks, 'root.lock'),
      images: join(locks, 'images.lock'),
      blob: (digest) => join(locks, `blob-${bareDigest(digest)}.lock`),
      layer: (directory) => join(locks, `layer-${directory}.lock`),
      step: (key) => join(locks, `step-${key}.lock`),
      imageUse: join(locks, 'image-use.lock'),
      volumeUse: join(locks, 'volume-use.lock'),
      events: join(locks, 'events.lock'),
      cgroups: join(locks, 'cgroups.lock'),
      project: (name) => join(locks, `project-${name}.lock`),
      networks: join(locks, 'networks.lock'),
      volume: (name) => join(locks, `volume-${sha256Hex(name).slice(0, 32)}.lock`),
      volumeMount: (name) => join(locks, `mount-${sha256Hex(name).slice(0, 32)}.lock`),
    },
    images: {
      directory: images,
      oci,
      blobs,
      references,
      reference: (normalised) => join(references, `${sha256Hex(normalised)}.json`),
      records,
      record: (id) => join(records, `${bareDigest(id)}.json`),
      layers,
      nurseries: join(root, 'nurseries'),
      layer: (diffId) => join(layers, bareDigest(diffId)),
      layerRecords,
      layerRecord: (directory) => join(layerRecords, `${directory}.json`),
      ingests,
      ingest: (digest) => join(ingests, bareDigest(digest)),
      leases,
      pins,
      pin: (name) => join(pins, `${sha256Hex(name)}.json`),
      hosted: join(images, 'hosted'),
    },
    names,
    name: (containerName) => join(names, containerName),
    cgroups: join(run, 'cgroups'),
    containers,
    container: (id) => containerPaths(`${containers}/${id}`, `${runContainers}/${id}`),
    networks,
    network: (id) => {
      const directory = join(networks, id);
      const runDirectory = join(runNetworks, id);
      return {
        directory,
        config: join(directory, 'config.json'),
        run: runDirectory,
        names: join(runDirectory, 'names'),
        endpoints: join(runDirectory, 'endpoints'),
      };
    },
    volumes,
    volume: (name) => {
      const directory = join(volumes, name);
      return {directory, config: join(directory, 'config.json'), data: join(directory, 'data')};
    },
    build: {
      directory: build,
      cache: join(build, 'cache'),
      slots: join(build, 'slots'),
      mounts: join(build, 'mounts'),
      contexts: join(build, 'contexts'),
      received: join(build, 'received'),
    },
    directories: [
      root,
      locks,
      images,
      oci,
      join(oci, 'blobs'),
      blobs,
      references,
      records,
      layers,
      layerRecords,
      ingests,
      leases,
      pins,
      names,
      containers,
      networks,
      volumes,
      run,
      runContainers,
      runNetworks,
    ],
  };
}

function containerPaths(directory: string, run: string): ContainerPaths {
  return {
    directory,
    config: `${directory}/config.json`,
    exit: `${directory}/exit.json`,
    begun: `${directory}/begun.json`,
    log: `${directory}/json.log`,
    upper: `${directory}/upper`,
    work: `${directory}/work`,
    workBeside: `${directory}/work-beside`,
    files: `${directory}/files`,
    lock: `${directory}/lock`,
    attaching: `${directory}/attaching`,
    committing: `${directory}/committing`,
    operationLock: `${directory}/operation.lock`,
    synced: `${directory}/synced.json`,
    syncedJournal: `${directory}/synced.ndjson`,
    syncArchive: `${directory}/sync.tar`,
    run,
    state: `${run}/state.json`,
    control: `${run}/control.sock`,
    hosts: `${directory}/hosts`,
    hostname: `${directory}/hostname`,
    resolvConf: `${directory}/resolv.conf`,
  };
}

/** Names of the kernel's objects that belong to a root, at most 15 characters where they are interfaces. */
export function bridgeName(layout: Layout, networkId: string): string {
  return `tsb${sha256Hex(`${layout.root}\n${networkId}`).slice(0, 10)}`;
}

/** The interface that stands for a parent, of a network without one. */
export function dummyName(layout: Layout, networkId: string): string {
  return `tsd${sha256Hex(`${layout.root}\n${networkId}`).slice(0, 10)}`;
}

/** The machine's end of a container's veth pair on a network. */
export function vethName(layout: Layout, networkId: string, containerId: string): string {
  return `tsv${sha256Hex(`${layout.root}\n${networkId}\n${containerId}`).slice(0, 10)}`;
}

/** The one nftables table of a root. */
export function nftablesTableName(layout: Layout): string {
  return `tscompose_${layout.rootHash}`;
}

/** Marks an interface as ours: `id` is the network's (bridge) or the container's (veth). */
export function interfaceAlias(layout: Layout, id: string): string {
  return `tscompose:${layout.rootHash}:${id}`;
}
