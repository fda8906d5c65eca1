import type {DeviceRequestBody} from '../../api/types/container.ts';
import type {Json} from '../../base/canonical-json.ts';
import {sortedMembers} from '../sorted.ts';
import type {Tree} from '../tree.ts';
import {isText, mapItems, member, objectAt, withMember} from '../tree.ts';
import type {Service} from '../types.ts';
import type {Device, DeviceRequest} from '../types-devices.ts';
import type {Attribute, Draft, FilePlace} from './attribute.ts';
import {labelMap} from './process.ts';
import {integer, list, object, type Reader, refine, text, texts, wrong} from './readers.ts';
import {keyValues} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** The fully qualified name of a CDI device: `vendor.com/class=name`. */
function isCdiName(source: string): boolean {
  return /^[A-Za-z][\w.-]*\/[A-Za-z][\w.-]*=[\w.:-]+$/.test(source);
}

/** `HOST[:CONTAINER[:PERMISSIONS]]`, or the name of a CDI device. */
function expandDevice(item: Tree, {problems, where}: FilePlace): Tree {
  if (!isText(item)) return item;
  const parts = isCdiName(item.value) ? [item.value] : item.value.split(':');
  const [source = '', target = source, permissions = 'rwm'] = parts;
  if (source === '' || target === '' || parts.length > 3) {
    problems.error(item.at, {
      code: 'wrong-value',
      message: `${where}: "${item.value}" is not a device`,
      hint: 'write HOST[:CONTAINER[:PERMISSIONS]], like /dev/ttyUSB0:/dev/serial:rw',
    });
    return item;
  }
  return objectAt({source, target, permissions}, item.at);
}

const deviceTarget = (item: Tree): string => {
  const node = member(item, 'target') ?? member(item, 'source') ?? item;
  return node.kind === 'scalar' ? String(node.value) : '';
};

const readDevice = refine(
  object<Partial<Device>>({source: text, target: text, permissions: text}),
  (value, node, context): Device | undefined => {
    if (value.source === undefined) return undefined;
    if (value.permissions !== undefined && !/^[rwm]*$/.test(value.permissions))
      wrong(node, context, {
        message: `"${value.permissions}" are not permissions of a device`,
        hint: 'they are of r (read), w (write) and m (make nodes)',
      });
    return {...value, source: value.source, target: value.target ?? value.source};
  },
);

const devices: Row<'devices'> = {
  expand: (node, place) => mapItems(node, (item) => expandDevice(item, place)),
  merge: {unique: deviceTarget},
  read: list(readDevice),
  lower: (value, draft) => {
    const named = value.filter(({source, target}) => source === target && isCdiName(source));
    const paths = value.filter((device) => !named.includes(device));
    if (paths.length > 0) {
      draft.host.Devices = paths.map(({source, target, permissions}) => ({
        PathOnHost: source,
        PathInContainer: target,
        CgroupPermissions: permissions ?? 'rwm',
      }));
    }
    if (named.length > 0) addRequests(draft, [{Driver: 'cdi', DeviceIDs: named.map(({source}) => source)}]);
  },
  change: 'recreate',
};

const device_cgroup_rules: Row<'device_cgroup_rules'> = {
  read: list(
    refine(text, (value, node, context) =>
      /^[acb] (?:\d+|\*):(?:\d+|\*) [rwm]{1,3}$/.test(value)
        ? value
        : wrong(node, context, {
            message: `"${value}" is not a rule`,
            hint: 'write TYPE MAJOR:MINOR ACCESS, like "c 1:3 mr"',
          }),
    ),
  ),
  lower: (value, {host}) => {
    if (value.length > 0) host.DeviceCgroupRules = value;
  },
  change: 'recreate',
};

/** `all` is -1. */
const count: Reader<number> = (node, context) => {
  if (isText(node) && node.value === 'all') return -1;
  if (isText(node) && !/^-?\d+$/.test(node.value))
    return wrong(node, context, {message: `"${node.value}" is not a number`, hint: 'write a whole number, or all'});
  return integer(node, context);
};

/** All devices are meant where neither a number nor certain ones are given. */
const readRequest: Reader<DeviceRequest> = refine(
  object<DeviceRequest>({capabilities: texts, driver: text, count, device_ids: texts, options: labelMap}),
  (value, node, context): DeviceRequest | undefined => {
    const {device_ids = []} = value;
    if (device_ids.length > 0 && value.count !== undefined)
      return wrong(node, context, {
        message: 'count and device_ids cannot be used together',
        hint: 'say how many, or which ones',
      });
    return device_ids.length > 0 || value.count !== undefined ? value : {...value, count: -1};
  },
);

export const readRequests = list(readRequest);

/** Each of a list of requests with its options as a mapping. */
export function expandRequests(node: Tree): Tree {
  return mapItems(node, (item) => withMember(item, 'options', keyValues('')));
}

export function renderRequests(requests: readonly DeviceRequest[]): Json {
  return requests.map(({capabilities, driver, count: number, device_ids, options}) => ({
    ...(capabilities === undefined || capabilities.length === 0 ? {} : {capabilities}),
    ...(driver === undefined || driver === '' ? {} : {driver}),
    ...(number === undefined || number === 0 ? {} : {count: number}),
    ...(device_ids === undefined || device_ids.length === 0 ? {} : {device_ids}),
    ...(options === undefined || Object.keys(options).length === 0 ? {} : {options: sortedMembers(options)}),
  }));
}

/** `needed` are capabilities that every request has. */
export function lowerRequests(draft: Draft, requests: readonly DeviceRequest[], needed: readonly string[] = []): void {
  addRequests(
    draft,
    requests.map(({capabilities = [], driver, count: number, device_ids, options}) => ({
      ...(driver === undefined ? {} : {Driver: driver}),
      ...(number === undefined ? {} : {Count: number}),
      ...(device_ids === undefined ? {} : {DeviceIDs: device_ids}),
      Capabilities: [[...new Set([...capabilities, ...needed])]],
      ...(options === undefined ? {} : {Options: options}),
    })),
  );
}

function addRequests({host}: Draft, requests: readonly DeviceRequestBody[]): void {
  if (requests.length > 0) host.DeviceRequests = [...(host.DeviceRequests ?? []), ...requests];
}

const gpus: Row<'gpus'> = {
  expand: (node) =>
    isText(node) && node.value === 'all'
      ? {kind: 'sequence', items: [objectAt({count: 'all'}, node.at)], at: node.at}
      : expandRequests(node),
  merge: {append: true},
  read: (node, context) =>
    isText(node)
      ? wrong(node, context, {message: `"${node.value}" is not a number of GPUs`, hint: 'write all, or a list'})
      : readRequests(node, context),
  lower: (value, draft) => lowerRequests(draft, value, ['gpu']),
  render: renderRequests,
  change: 'recreate',
};

export const deviceAttributes = {devices, device_cgroup_rules, gpus} as const;
