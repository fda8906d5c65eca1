import type {EndpointSettings} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {MonitorOperation, NetworkOperation} from '../helper/operations.ts';
import type {ContainerContext, NetworkChange} from './context.ts';
import {ownHostLines} from './hosts.ts';
import {identityCleanup} from './launch-plan.ts';
import {containerOfMode} from './namespace-modes.ts';
import {withContainer} from './operation.ts';
import type {ContainerRecord} from './record.ts';
import {type FoundContainer, findContainer} from './reference.ts';
import {replaceRecord, settledRecord} from './replace-record.ts';
import {observe} from './state.ts';
import {refuseUnsupportedEndpoint} from './supported-body.ts';

/** Members of settings that only an answer has. */
type Asked = Pick<EndpointSettings, 'IPAMConfig' | 'Aliases' | 'Links' | 'MacAddress' | 'DriverOpts' | 'GwPriority'>;

/**
 * Connects a container to one more network: at once where it runs, and for every start from then on. Throws `notFound`,
 * `invalid`, `forbidden` where it runs and is connected already, `conflict` for an address that another container has.
 */
export async function connectContainer(
  context: ContainerContext,
  {
    network,
    container,
    settings,
  }: {readonly network: string; readonly container: string; readonly settings: EndpointSettings},
): Promise<void> {
  const name = await context.endpoints.nameOf(network);
  refuseUnsupportedEndpoint(settings, name);
  await withContainer(context, container, async (found) => {
    const record = await settledRecord(context, found.id);
    checkJoining(record, name);
    if (await isConnected(context, record, name)) {
      if ((await observe(context, found.id)).kind !== 'live') return;
      throw new TscomposeError('forbidden', `endpoint with name ${found.name} already exists in network ${name}`);
    }
    await context.endpoints.check(name, settings);
    const endpoints = {...record.endpoints, [name]: askedFor(settings)};
    await changeEndpoints(context, found, {before: record, after: {...record, endpoints}});
  });
}

/** Takes a container off a network. `force`: also where nothing is left of the container but its place there. */
export async function disconnectContainer(
  context: ContainerContext,
  {network, container, force}: {readonly network: string; readonly container: string; readonly force: boolean},
): Promise<void> {
  const name = await context.endpoints.nameOf(network);
  const left = await findContainer(context.layout, container).catch((error: unknown) => error);
  if (left instanceof Error) {
    if (!force) throw left;
    await context.endpoints.forget(name, container);
    return;
  }
  await withContainer(context, container, async (found) => {
    const record = await settledRecord(context, found.id);
    if (record.hostConfig.NetworkMode === 'host' && name === 'host')
      throw new TscomposeError(
        'invalid',
        'cannot disconnect container from host network - container was created in host network mode',
      );
    const keys = await keysOf(context, record, name);
    if (keys.length === 0)
      throw new TscomposeError('conflict', `container ${found.id} is not connected to network ${name}`);
    const endpoints = Object.fromEntries(Object.entries(record.endpoints).filter(([key]) => !keys.includes(key)));
    await changeEndpoints(context, found, {before: record, after: {...record, endpoints}});
  });
}

/** In Docker's words and order. */
function checkJoining({hostConfig, endpoints}: ContainerRecord, network: string): void {
  const {NetworkMode = 'default'} = hostConfig;
  if (NetworkMode === 'host' || containerOfMode(NetworkMode) !== undefined)
    throw new TscomposeError(
      'invalid',
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  if (network === 'host')
    throw new TscomposeError(
      'invalid',
      'cannot connect container to host network - container must be created in host network mode',
    );
  const others = Object.keys(endpoints).filter((key) => key !== network);
  if ((network === 'none' && others.length > 0) || others.includes('none'))
    throw new TscomposeError(
      'invalid',
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    );
}

async function isConnected(context: ContainerContext, record: ContainerRecord, network: string): Promise<boolean> {
  return (await keysOf(context, record, network)).length > 0;
}

/** A record may list a network by its id. */
async function keysOf(
  context: ContainerContext,
  {endpoints}: ContainerRecord,
  network: string,
): Promise<readonly string[]> {
  const names = await Promise.all(
    Object.keys(endpoints).map(async (key) => [key, await context.endpoints.nameOf(key).catch(() => key)] as const),
  );
  return names.filter(([, name]) => name === network).map(([key]) => key);
}

function askedFor({IPAMConfig, Aliases, Links, MacAddress, DriverOpts, GwPriority}: EndpointSettings): Asked {
  return {
    ...(IPAMConfig ? {IPAMConfig} : {}),
    ...(Aliases ? {Aliases} : {}),
    ...(Links ? {Links} : {}),
    ...(MacAddress ? {MacAddress} : {}),
    ...(DriverOpts ? {DriverOpts} : {}),
    ...(GwPriority ? {GwPriority} : {}),
  };
}

async function changeEndpoints(
  context: ContainerContext,
  {name}: FoundContainer,
  {before, after}: {readonly before: ContainerRecord; readonly after: ContainerRecord},
): Promise<void> {
  await replaceRecord(context, {updated: after, feature: 'networks'}, (ask) =>
    context.endpoints.change({before, after, name}, (change) => ask(operationsOf(context, after, change))),
  );
}

/** The files that the container reads change with its networks. */
function operationsOf(
  {layout}: ContainerContext,
  record: ContainerRecord,
  {operations, added, removed, resolvConf}: NetworkChange,
): readonly (MonitorOperation | NetworkOperation)[] {
  const paths = layout.container(record.id);
  const [gone, come] = [ownHostLines(record, removed), ownHostLines(record, added)];
  return [
    ...(gone + come === '' ? [] : [{kind: 'editLines', path: paths.hosts, removed: gone, added: come} as const]),
    ...(resolvConf ? [{kind: 'editLines', path: paths.resolvConf, ...resolvConf} as const] : []),
    ...identityCleanup(paths),
    ...operations,
  ];
}
