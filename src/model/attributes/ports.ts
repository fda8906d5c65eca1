import type {PortBinding} from '../../api/types/container.ts';
import type {Json} from '../../base/canonical-json.ts';
import type {Tree} from '../tree.ts';
import {isText, objectAt} from '../tree.ts';
import type {Port, Service} from '../types.ts';
import type {Attribute, FilePlace} from './attribute.ts';
import {integer, list, object, oneOf, refine, text, wrong} from './readers.ts';
import {withDirectiveOf} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

interface Range {
  readonly first: number;
  readonly last: number;
}

/** `80` or `80-90`. */
export function parsePortRange(value: string): Range | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(value);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return first <= last && last <= 65_535 ? {first, last} : undefined;
}

const shortForm =
  /^(?:(?<all>(?:\[(?<six>[^\]]*)\]|(?<ip>[^:]*)):(?=[^:]*:))?(?:(?<published>[^:]*):)?)(?<target>[^:/]+)(?:\/(?<protocol>[a-zA-Z]+))?$/;

/** Ports that the ranges of all services may come to. */
const mostPorts = 200_000;

interface ShortPort {
  readonly hostIp: string | undefined;
  readonly published: string | undefined;
  readonly target: Range;
  readonly protocol: string;
}

/** What is wrong with a port, and what to write in its place. */
interface WrongPort {
  readonly wrong: string;
  readonly hint: string;
}

const form = 'write [ADDRESS:][HOST_PORT:]CONTAINER_PORT[/PROTOCOL], like 127.0.0.1:8080:80/tcp';

/** What a port or a range of ports is not. */
function wrongPort(what: 'host' | 'container', value: string): WrongPort {
  const [first = '', last, ...rest] = value.split('-');
  const numbers = [first, last ?? first].map(Number);
  if (rest.length > 0 || !/^\d+(?:-\d+)?$/.test(value)) return {wrong: `"${value}" is not a ${what} port`, hint: form};
  const [low = 0, high = 0] = numbers;
  if (low <= high || high > 65_535)
    return {wrong: `${what} port ${value} is out of range`, hint: 'write a port from 1 to 65535'};
  return {wrong: `the ${what} ports ${value} end before they begin`, hint: `turn the range around: ${last}-${first}`};
}

function parseShort(value: string): ShortPort | WrongPort {
  const groups = shortForm.exec(value)?.groups;
  if (groups === undefined) return {wrong: `"${value}" is not a port`, hint: form};
  const {six, ip, published, protocol = 'tcp'} = groups;
  const target = parsePortRange(groups['target'] ?? '');
  if (target === undefined || target.first === 0) return wrongPort('container', groups['target'] ?? '');
  const hostIp = six ?? (ip === '' ? undefined : ip);
  if (hostIp !== undefined && !/^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/.test(hostIp))
    return {wrong: `"${hostIp}" is not an IP address`, hint: form};
  if (published === undefined || published === '') return {hostIp, published: undefined, target, protocol};
  return parsePortRange(published) === undefined ? wrongPort('host', published) : {hostIp, published, target, protocol};
}

function written({first, last}: Range): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

function counted(range: Range): string {
  const count = range.last - range.first + 1;
  return `${written(range)} (${count} ${count === 1 ? 'port' : 'ports'})`;
}

/** One long form for each port of a range; a range of published ports for one target stays: one of them is chosen. */
function expandShort(value: string, item: Tree, {problems, where}: FilePlace): readonly Tree[] {
  const port = parseShort(value);
  const fail = ({wrong, hint}: WrongPort): readonly Tree[] => {
    problems.error(item.at, {code: 'wrong-value', message: `${where}: ${wrong}`, hint});
    return [];
  };
  if ('wrong' in port) return fail(port);
  const {target, published, hostIp, protocol} = port;
  const long = (targetPort: number, publishedPort: string | undefined): Tree =>
    objectAt(
      {
        mode: 'ingress',
        host_ip: hostIp,
        target: targetPort,
        published: publishedPort,
        protocol: protocol.toLowerCase(),
      },
      item.at,
    );
  const source = published === undefined ? undefined : parsePortRange(published);
  const count = target.last - target.first + 1;
  if (source !== undefined && count === 1) return [long(target.first, published)];
  if (source !== undefined && source.last - source.first + 1 !== count) {
    return fail({
      wrong: `the ranges ${counted(source)} and ${counted(target)} differ in length`,
      hint: `make them equally long, like ${written({...source, last: source.first + count - 1})}:${written(target)}`,
    });
  }
  const hint = 'publish only the ports that are used';
  if (!problems.allows(item.at, {what: 'ports', amount: count, most: mostPorts, hint})) return [];
  return Array.from({length: count}, (_, index) =>
    long(target.first + index, source === undefined ? undefined : String(source.first + index)),
  );
}

function expand(node: Tree, place: FilePlace): Tree {
  if (node.kind !== 'sequence') return node;
  const items = node.items.flatMap((item) => {
    if (isText(item)) return expandShort(item.value, item, place);
    return item.kind === 'scalar' && typeof item.value === 'number'
      ? expandShort(String(item.value), item, place)
      : [item];
  });
  return withDirectiveOf(node, {kind: 'sequence', items, at: node.at});
}

function plain(item: Tree, name: string, otherwise: string): string {
  const node = item.kind === 'mapping' ? item.entries.get(name)?.value : undefined;
  return node?.kind === 'scalar' && node.value !== null ? String(node.value) : otherwise;
}

/** Ports are the same when address, published port, target and protocol are. */
const samePort = (item: Tree): string =>
  `${plain(item, 'host_ip', '0.0.0.0')}:${plain(item, 'published', '')}:${plain(item, 'target', '')}/${plain(item, 'protocol', 'tcp')}`;

const readPort = refine(
  object<Partial<Port>>({
    target: refine(integer, (value, node, context) =>
      value > 0 && value <= 65_535
        ? value
        : wrong(node, context, {message: `${value} is not between 1 and 65535`, hint: 'write a port from 1 to 65535'}),
    ),
    published: refine(text, (value, node, context) => {
      if (value === '') return undefined;
      return parsePortRange(value) === undefined
        ? wrong(node, context, {
            message: `"${value}" is neither a port nor a range of ports`,
            hint: 'write 8080 or 8080-8090',
          })
        : value;
    }),
    host_ip: text,
    protocol: oneOf('tcp', 'udp', 'sctp'),
    mode: oneOf('ingress', 'host'),
    name: text,
    app_protocol: text,
  }),
  (value): Port | undefined => {
    if (value.target === undefined) return undefined;
    return {...value, target: value.target, protocol: value.protocol ?? 'tcp', mode: value.mode ?? 'ingress'};
  },
);

const ports: Row<'ports'> = {
  expand,
  merge: {unique: samePort},
  read: list(readPort),
  spec: (value): Json | undefined =>
    value.length === 0
      ? undefined
      : value.map(({target, published, host_ip, protocol}) => ({
          target,
          ...(published === undefined ? {} : {published}),
          ...(host_ip === undefined ? {} : {host_ip}),
          ...(protocol === 'tcp' ? {} : {protocol}),
        })),
  lower: (value, {config, host}) => {
    const bindings: Record<string, PortBinding[]> = {};
    const exposed: Record<string, Record<string, never>> = {...config.ExposedPorts};
    for (const {target, published, host_ip, protocol} of value) {
      const key = `${target}/${protocol}`;
      const binding = {...(host_ip === undefined ? {} : {HostIp: host_ip}), HostPort: published ?? ''};
      bindings[key] = [...(bindings[key] ?? []), binding];
      exposed[key] = {};
    }
    config.ExposedPorts = exposed;
    host.PortBindings = bindings;
  },
  render: (value) =>
    value.map(({mode, name, host_ip, target, published, protocol, app_protocol}) => ({
      ...(name === undefined ? {} : {name}),
      mode,
      ...(host_ip === undefined ? {} : {host_ip}),
      target,
      ...(published === undefined ? {} : {published}),
      protocol,
      ...(app_protocol === undefined ? {} : {app_protocol}),
    })),
  change: 'recreate',
};

const readExpose = refine(text, (value, node, context) => {
  const [range = '', protocol = 'tcp', ...rest] = value.split('/');
  const known = rest.length === 0 && /^(?:tcp|udp|sctp)$/i.test(protocol) && parsePortRange(range) !== undefined;
  return known
    ? value
    : wrong(node, context, {
        message: `"${value}" is neither a port nor a range of ports`,
        hint: 'write 80, 80-90 or 53/udp',
      });
});

const expose: Row<'expose'> = {
  merge: {unique: (item) => (item.kind === 'scalar' ? String(item.value) : '')},
  read: list(readExpose),
  lower: (value, {config}) => {
    const exposed: Record<string, Record<string, never>> = {...config.ExposedPorts};
    for (const item of value) {
      const [range = '', protocol = 'tcp'] = item.split('/');
      const {first, last} = parsePortRange(range) ?? {first: 1, last: 0};
      for (let port = first; port <= last; port++) exposed[`${port}/${protocol.toLowerCase()}`] = {};
    }
    config.ExposedPorts = exposed;
  },
  change: 'recreate',
};

export const portAttributes = {ports, expose} as const;
