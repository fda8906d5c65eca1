import {randomBytes} from 'node:crypto';
import {lstat} from 'node:fs/promises';
import {join} from 'node:path';
import type {
  ContainerConfig,
  ContainerCreateBody,
  ContainerCreateResult,
  ContainerFile,
  HostConfig,
} from '../../api/types/container.ts';
import {hasKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {chmod, mkdir, rename, rm, writeFile} from '../at-once.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import {writeRecord} from '../record-store.ts';
import {readMeans, refuseWithoutRoot} from '../rootless/refused.ts';
import {checkBody} from './check-body.ts';
import {checkResources} from './check-resources.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {requestedEdits} from './devices/gather.ts';
import {storeFiles} from './files.ts';
import {fillVolumes} from './fill-volumes.ts';
import {mergeImageConfig} from './image-config.ts';
import {resolveLinks} from './legacy-links.ts';
import {parseContainerName} from './name.ts';
import {containerOfMode} from './namespace-modes.ts';
import {type MountRequest, parseMounts} from './parse-mounts.ts';
import type {ContainerRecord, RecordedMount} from './record.ts';
import {discard} from './remove.ts';
import {reserveFor, reserveRandom} from './reserve.ts';
import {checkSecurityModules, readSecurityModules} from './security-modules.ts';
import {resolveModes} from './shared-namespaces.ts';
import {bareDirectory, ownsVolumesMark, unfinishedDirectory} from './take-apart.ts';
import {imagesOf} from './users.ts';
import {inheritedMounts} from './volumes-from.ts';

/**
 * Makes a container whole or not at all: its directory is filled under a temporary name, its name is reserved, and then
 * the directory takes its place. While that lasts the maker holds the operation lock inside the directory, so that others
 * can tell a container that is being made from one whose maker was killed.
 */
export async function createContainer(
  context: ContainerContext,
  body: ContainerCreateBody,
  options: {readonly name?: string; readonly platform?: string},
): Promise<ContainerCreateResult> {
  const name = options.name === undefined || options.name === '' ? undefined : parseContainerName(options.name);
  if (!body.Image) throw new TscomposeError('invalid', 'no image specified');
  checkBody(body);
  const machine = await context.machine();
  const limited = {...body.HostConfig, ...(context.allowMissingLimits && {TscomposeAllowMissingLimits: true})};
  const warnings = checkResources(machine, limited);
  checkSecurityModules(readSecurityModules(), limited);
  if (machine.rootless) refuseWithoutRoot(limited, await readMeans(machine.cgroups, machine.rootless));
  const image = await context.images.resolve(body.Image, options.platform);
  const {HostConfig: _asked, NetworkingConfig, ...configBody} = body;
  const hostBody: HostConfig = limited;
  const config = mergeImageConfig(withoutQueryMembers(configBody), image.config);
  const requests = parseMounts(config, hostBody, await inheritedMounts(context.layout, hostBody.VolumesFrom ?? []));
  await checkSources(requests);
  await requestedEdits(hostBody, context.cdiDirectories);

  const id = randomBytes(32).toString('hex');
  const {config: _imageConfig, ...recordedImage} = image;
  const hostConfig = await withLinks(context, completeHostConfig(await resolveModes(context.layout, hostBody)));
  const record: Omit<ContainerRecord, 'name' | 'files'> = {
    v: 1,
    id,
    created: formatNanoseconds(unixNanoseconds(context.now)),
    image: recordedImage,
    config: {...config, Hostname: hostNameOf(config, hostConfig, id, context.hostName), Image: body.Image},
    hostConfig,
    endpoints: endpointsOf(hostConfig, NetworkingConfig?.EndpointsConfig ?? {}),
    mounts: await Promise.all(requests.map((request) => toMount(context, request))),
  };
  await checkAddresses(context, record.endpoints);
  await makeWhole(context, {record, requests, name, files: hostBody.TscomposeFiles ?? []});
  return {Id: id, Warnings: warnings};
}

/** Addresses that a network cannot have. One that is not there yet may be made until the start. */
async function checkAddresses({endpoints}: ContainerContext, asked: ContainerRecord['endpoints']): Promise<void> {
  for (const [network, settings] of Object.entries(asked)) {
    const {IPv4Address, IPv6Address} = settings.IPAMConfig ?? {};
    if (!IPv4Address && !IPv6Address) continue;
    await endpoints.check(network, settings).catch((error: unknown) => {
      if (!hasKind(error, 'notFound')) throw error;
    });
  }
}

async function withLinks(context: ContainerContext, host: HostConfig): Promise<HostConfig> {
  const {Links} = host;
  return Links?.length ? {...host, Links: await resolveLinks(context, Links)} : host;
}

/** The container's own `/`: its users enter it, whatever the umask here. */
async function makeUpper(path: string): Promise<void> {
  await mkdir(path);
  await chmod(path, 0o755);
}

interface Making {
  readonly record: Omit<ContainerRecord, 'name' | 'files'>;
  readonly requests: readonly MountRequest[];
  readonly name: string | undefined;
  readonly files: readonly ContainerFile[];
}

async function makeWhole(context: ContainerContext, making: Making): Promise<void> {
  const {id} = making.record;
  const unfinished = unfinishedDirectory(context.layout, id);
  await using lock = await makeLocked(context, id);
  void lock;
  let whole = false;
  try {
    await writeFile(join(unfinished, ownsVolumesMark), '');
    await Promise.all([makeUpper(join(unfinished, 'upper')), mkdir(join(unfinished, 'work'), {mode: 0o700})]);
    const files = await storeFiles(join(unfinished, 'files'), making.files);
    if (making.name !== undefined) await reserveFor(context, making.name, {id, directory: unfinished});
    const name = making.name ?? (await reserveRandom(context, {id, directory: unfinished}));
    const record: ContainerRecord = {...making.record, name, files};
    // Before its volumes are made, so that whoever clears up after a killed process knows which they are.
    await writeRecord(join(unfinished, 'config.json'), record, {sync: true});
    await using uses = await lockUses(context);
    void uses;
    for (const image of imagesOf(record)) await context.images.resolve(image);
    await makeVolumes(context, record, making.requests);
    await fillVolumes(context, record);
    const {directory} = context.layout.container(id);
    await rename(unfinished, directory);
    whole = true;
    await rm(join(directory, ownsVolumesMark));
    await publishContainerEvent(context, record, name, 'create');
  } finally {
    if (!whole) await discard(context, id);
  }
}

/** Makes the directory with its operation lock taken: under that name nobody ever sees it without. */
async function makeLocked({helper, layout}: ContainerContext, id: string): Promise<AsyncDisposable> {
  const bare = bareDirectory(layout, id);
  for (;;) {
    try {
      await makeUnlessThere(bare);
      const lock = await helper.lock(join(bare, 'operation.lock'));
      await rename(bare, unfinishedDirectory(layout, id));
      return lock;
    } catch (error) {
      // Somebody saw it before it was locked, took it for what a killed process left, and cleared it away.
      if (!hasKind(error, 'notFound') && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Not `recursive`: that says of a full disk that the path does not exist. */
async function makeUnlessThere(path: string): Promise<void> {
  try {
    await mkdir(path, {mode: 0o700});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw toTscomposeError(error, `cannot make ${path}`);
  }
}

/** Until the container is there, nobody else knows that it uses its image and volumes: none of them may be removed meanwhile. */
async function lockUses({helper, layout}: ContainerContext): Promise<AsyncDisposable> {
  // One after the other: one that was taken is given back where the other cannot be.
  const image = await helper.lock(layout.locks.imageUse, {mode: 'shared'});
  try {
    const volume = await helper.lock(layout.locks.volumeUse, {mode: 'shared'});
    return {
      async [Symbol.asyncDispose]() {
        await Promise.all([image, volume].map((lock) => lock[Symbol.asyncDispose]()));
      },
    };
  } catch (error) {
    await image[Symbol.asyncDispose]();
    throw error;
  }
}

/** Some clients repeat the query's members in the body. */
function withoutQueryMembers(config: ContainerConfig): ContainerConfig {
  const {
    name: _name,
    platform: _platform,
    ...rest
  } = config as ContainerConfig & {readonly name?: unknown; readonly platform?: unknown};
  return rest;
}

/** The source of a bind mount is only looked at, by its own name: no link is followed here. */
async function checkSources(requests: readonly MountRequest[]): Promise<void> {
  for (const request of requests) {
    if (request.kind !== 'bind' || !request.mustExist) continue;
    if ((await lstat(request.source).catch(() => undefined)) === undefined) {
      throw new TscomposeError(
        'invalid',
        `invalid mount config for type "bind": bind source path does not exist: ${request.source}`,
        {hint: 'create it, or correct the path'},
      );
    }
  }
}

/** A volume without a name is made for this container, under a name that nobody has. */
async function toMount({images}: ContainerContext, request: MountRequest): Promise<RecordedMount> {
  if (request.kind === 'tmpfs') return request;
  if (request.kind === 'image') return {...request, image: (await images.resolve(request.source)).id};
  if (request.kind === 'bind') {
    const {mustExist: _checked, ...bind} = request;
    return bind;
  }
  if ('inherited' in request) {
    const {inherited: _inherited, ...volume} = request;
    return volume;
  }
  const {labels: _labels, driver: _driver, driverOptions: _driverOptions, name, ...mount} = request;
  return {...mount, name: name ?? randomBytes(32).toString('hex'), anonymous: name === undefined};
}

async function makeVolumes(
  context: ContainerContext,
  record: ContainerRecord,
  requests: readonly MountRequest[],
): Promise<void> {
  for (const [index, mount] of record.mounts.entries()) {
    const request = requests[index];
    if (mount.kind !== 'volume' || request?.kind !== 'volume') continue;
    if ('inherited' in request) {
      await context.volumes.inspect(mount.name);
      continue;
    }
    await context.volumes.create({
      Name: mount.name,
      ...(request.driver ? {Driver: request.driver} : {}),
      ...(request.driverOptions ? {DriverOpts: request.driverOptions} : {}),
      // As Docker marks them, so that a clean-up of unused anonymous volumes finds them.
      Labels: mount.anonymous ? {...request.labels, 'com.docker.volume.anonymous': ''} : {...request.labels},
    });
  }
}

function completeHostConfig(host: HostConfig): HostConfig {
  const {TscomposeFiles: _files, ...rest} = host;
  return {
    ...rest,
    NetworkMode: host.NetworkMode && host.NetworkMode !== 'default' ? host.NetworkMode : 'bridge',
    LogConfig: {Type: host.LogConfig?.Type || 'json-file', Config: host.LogConfig?.Config ?? {}},
    RestartPolicy: {
      Name: host.RestartPolicy?.Name || 'no',
      MaximumRetryCount: host.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    IpcMode: host.IpcMode || 'private',
    ShmSize: host.ShmSize || 64 * 1024 * 1024,
    // As Docker keeps what asks for nothing.
    PidsLimit: host.PidsLimit && host.PidsLimit > 0 ? host.PidsLimit : null,
    MemorySwappiness: host.MemorySwappiness === -1 ? null : (host.MemorySwappiness ?? null),
    CgroupnsMode: host.CgroupnsMode || 'private',
  };
}

function hostNameOf(config: ContainerConfig, host: HostConfig, id: string, machineName: string): string {
  return config.Hostname || (host.NetworkMode === 'host' ? machineName : id.slice(0, 12));
}

/** The network of `NetworkMode` first, as Docker attaches it first. */
function endpointsOf(host: HostConfig, named: Readonly<Record<string, object | null>>): ContainerRecord['endpoints'] {
  const mode = host.NetworkMode ?? 'bridge';
  if (containerOfMode(mode) !== undefined) return {};
  const given = Object.fromEntries(
    Object.entries(named).map(([network, settings]) => [network === 'default' ? 'bridge' : network, settings]),
  );
  const endpoints: Record<string, object> = {};
  if (mode !== 'host' && mode !== 'none') endpoints[mode] = given[mode] ?? {};
  for (const [network, settings] of Object.entries(given)) endpoints[network] = settings ?? {};
  if (mode === 'host' || mode === 'none') endpoints[mode] = given[mode] ?? {};
  return endpoints;
}
