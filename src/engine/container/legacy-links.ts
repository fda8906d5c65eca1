import {TscomposeError} from '../../base/errors.ts';
import {defaultBridgeName} from '../network/default-bridge.ts';
import {parseLink} from '../network/links.ts';
import type {ContainerContext} from './context.ts';
import {environmentKey} from './image-config.ts';
import {nameOfId} from './names.ts';
import type {ContainerRecord} from './record.ts';
import {findContainer} from './reference.ts';
import {observe} from './state.ts';

/**
 * Links of the default network, which has no names: what they say of another container stands in the hosts and the variables of
 * this one, as things are when it starts.
 */
export interface LegacyLinks {
  /** Of /etc/hosts. */
  readonly hosts: readonly string[];
  readonly variables: readonly string[];
}

export const noLinks: LegacyLinks = {hosts: [], variables: []};

/** Links by id, so that they mean the same container for ever: `ID:ALIAS`. Throws `invalid`. */
export async function resolveLinks(
  {layout}: Pick<ContainerContext, 'layout'>,
  links: readonly string[],
): Promise<readonly string[]> {
  return await Promise.all(
    links.map(async (link) => {
      const {alias} = parseLink(link);
      const [reference = ''] = link.split(':');
      const {id} = await findContainer(layout, reference.replace(/^\//, '')).catch((error: Error) => {
        throw new TscomposeError('invalid', `could not get container for ${reference}: ${error.message}`, {
          cause: error,
        });
      });
      return `${id}:${alias}`;
    }),
  );
}

/** As inspect shows them: `/other:/this/alias`. */
export async function describeLinks(
  {layout}: Pick<ContainerContext, 'layout'>,
  links: readonly string[],
  name: string,
): Promise<readonly string[]> {
  return await Promise.all(
    links.map(async (link) => {
      const [id = '', alias = ''] = link.split(':');
      return `/${(await nameOfId(layout, id, id)) ?? id}:/${name}/${alias}`;
    }),
  );
}

/** Throws `conflict` for a container that does not run, or is not on the default network. */
export async function planLinks(
  context: ContainerContext,
  {hostConfig}: ContainerRecord,
  name: string,
): Promise<LegacyLinks> {
  const planned = await Promise.all((hostConfig.Links ?? []).map((link) => planLink(context, link, name)));
  return {
    hosts: planned.flatMap(({hosts}) => hosts),
    variables: planned.flatMap(({variables}) => variables),
  };
}

async function planLink(context: ContainerContext, link: string, name: string): Promise<LegacyLinks> {
  const [id = '', alias = ''] = link.split(':');
  const other = await findContainer(context.layout, id);
  if ((await observe(context, other.id)).kind !== 'live')
    throw new TscomposeError(
      'conflict',
      `Cannot link to a non running container: /${other.name} AS /${name}/${alias}`,
      {
        hint: 'start it first',
      },
    );
  const {networks} = await context.endpoints.describe(other, true);
  const address = networks[defaultBridgeName]?.IPAddress;
  if (!address)
    throw new TscomposeError('conflict', `Cannot link to /${other.name}: it is not on the default network`, {
      hint: 'put both on a network of their own, where each has a name',
    });
  const {Hostname = ''} = other.record.config;
  const names = [...new Set([alias, Hostname, other.name])].filter(Boolean).join(' ');
  return {hosts: [`${address}\t${names}`], variables: variablesOf(other.record, {alias, address, name})};
}

function variablesOf(
  {config}: ContainerRecord,
  {alias, address, name}: {readonly alias: string; readonly address: string; readonly name: string},
): readonly string[] {
  const prefix = alias.replaceAll('-', '_').toUpperCase();
  const ports = Object.keys(config.ExposedPorts ?? {}).map((key) => {
    const [port = '', protocol = 'tcp'] = key.split('/');
    return {port, protocol, url: `${protocol}://${address}:${port}`};
  });
  // As Docker orders them: tcp first, then by number.
  ports.sort((a, b) => (a.protocol < b.protocol ? -1 : a.protocol > b.protocol ? 1 : Number(a.port) - Number(b.port)));
  const [first] = ports;
  return [
    ...(first ? [`${prefix}_PORT=${first.url}`] : []),
    ...ports.flatMap(({port, protocol, url}) => {
      const key = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
      return [`${key}=${url}`, `${key}_ADDR=${address}`, `${key}_PORT=${port}`, `${key}_PROTO=${protocol}`];
    }),
    `${prefix}_NAME=/${name}/${alias}`,
    ...(config.Env ?? [])
      .filter((entry) => entry.includes('=') && !['HOME', 'PATH'].includes(environmentKey(entry)))
      .map((entry) => `${prefix}_ENV_${entry}`),
  ];
}
