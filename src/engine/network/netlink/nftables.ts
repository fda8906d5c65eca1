import {attributes, type Codec, list, raw, s32be, text, u32be, u64be, type Values} from './attribute.ts';
import {data, type Expression, expressions} from './expression.ts';
import {messageFlags, type NetlinkMessage} from './message.ts';
import {decodeComment, encodeComment} from './userdata.ts';

/** Tables, chains, rules, sets and maps of nf_tables. include/uapi/linux/netfilter/{nfnetlink,nf_tables}.h. */

const subsystem = 10;
const batchBegin = 0x10;
const batchEnd = 0x11;

const messageTypes = {
  newTable: 0,
  getTable: 1,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  deleteChain: 5,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newSet: 9,
  getSet: 10,
  deleteSet: 11,
  newElement: 12,
  getElement: 13,
  deleteElement: 14,
  newGeneration: 15,
  getGeneration: 16,
} as const;

export const tableFamilies = {inet: 1, ipv4: 2, bridge: 7, ipv6: 10} as const;

/** Where a table is; names are unique within a family. */
export interface TableRef {
  readonly family: number;
  readonly table: string;
}

const tableAttributes = attributes({name: [1, text], flags: [2, u32be]});

const hookAttributes = attributes({number: [1, u32be], priority: [2, s32be]});
const chainAttributes = attributes({
  table: [1, text],
  name: [3, text],
  hook: [4, hookAttributes],
  policy: [5, u32be],
  type: [7, text],
});

const comment: Codec<string> = {encode: encodeComment, decode: decodeComment};

const ruleAttributes = attributes({
  table: [1, text],
  chain: [2, text],
  handle: [3, u64be],
  expressions: [4, expressions],
  comment: [7, comment],
});

const receivedRuleAttributes = attributes({
  table: [1, text],
  chain: [2, text],
  handle: [3, u64be],
  expressions: [4, raw],
  comment: [7, comment],
});

const setAttributes = attributes({
  table: [1, text],
  name: [2, text],
  flags: [3, u32be],
  keyType: [4, u32be],
  keyLength: [5, u32be],
  dataType: [6, u32be],
  dataLength: [7, u32be],
  id: [10, u32be],
  userData: [13, raw],
});

const elementSchema = {key: [1, data], data: [2, data], comment: [6, comment]} as const;
const elementsAttributes = attributes({
  table: [1, text],
  set: [2, text],
  elements: [3, list(1, attributes(elementSchema))],
});

const generationAttributes = attributes({id: [1, u32be]});
const batchAttributes = attributes({generation: [1, u32be]});

/** nfgenmsg: family, version, resource id (big-endian). */
function header(family: number, resource = 0): Uint8Array {
  return Uint8Array.of(family, 0, resource >> 8, resource & 0xff);
}
const headerSize = 4;

function message<T>(
  kind: keyof typeof messageTypes,
  flags: number,
  family: number,
  codec: Codec<T>,
  values: T,
): NetlinkMessage {
  return {
    type: (subsystem << 8) | messageTypes[kind],
    flags: messageFlags.request | flags,
    payload: Buffer.concat([header(family), codec.encode(values)]),
  };
}

function change<T>(kind: keyof typeof messageTypes, flags: number, family: number, codec: Codec<T>, values: T) {
  return message(kind, messageFlags.acknowledge | flags, family, codec, values);
}

/**
 * Changes as one transaction: all of them or none. With `generation` (see `getGeneration`) it is refused as a whole
 * (ERESTART) when anything in the rule set changed since.
 */
export function transaction(changes: readonly NetlinkMessage[], generation?: number): readonly NetlinkMessage[] {
  const begin = batchAttributes.encode(generation === undefined ? {} : {generation});
  return [
    {type: batchBegin, flags: messageFlags.request, payload: Buffer.concat([header(0, subsystem), begin])},
    ...changes,
    {type: batchEnd, flags: messageFlags.request, payload: header(0, subsystem)},
  ];
}

/** An existing one stays as it is, unless `exclusive`: then it is an error (EEXIST). */
export function addTable({family, table}: TableRef, {exclusive = false} = {}): NetlinkMessage {
  const flags = messageFlags.create | (exclusive ? messageFlags.exclusive : 0);
  return change('newTable', flags, family, tableAttributes, {name: table});
}

/** With everything in it. */
export function deleteTable({family, table}: TableRef): NetlinkMessage {
  return change('deleteTable', 0, family, tableAttributes, {name: table});
}

export const hooks = {prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4} as const;
export const policies = {drop: 0, accept: 1} as const;

export interface BaseChain {
  readonly type: 'filter' | 'nat' | 'route';
  readonly hook: keyof typeof hooks;
  readonly priority: number;
  /** Accept where not given. */
  readonly policy?: keyof typeof policies;
}

/** A base chain sees packets at its hook; a regular one where a rule jumps to it. */
export function addChain({family, table}: TableRef, name: string, base?: BaseChain): NetlinkMessage {
  const hook = base && {
    type: base.type,
    hook: {number: hooks[base.hook], priority: base.priority},
    policy: policies[base.policy ?? 'accept'],
  };
  return change('newChain', messageFlags.create, family, chainAttributes, {table, name, ...hook});
}

export interface NewRule {
  readonly chain: string;
  readonly expressions: readonly Expression[];
  readonly comment?: string;
}

export function addRule(ref: TableRef, rule: NewRule, place: 'first' | 'last' = 'last'): NetlinkMessage {
  const flags = messageFlags.create | (place === 'last' ? messageFlags.append : 0);
  return change('newRule', flags, ref.family, ruleAttributes, {table: ref.table, ...rule});
}

export function deleteRule(
  ref: TableRef,
  {chain, handle}: {readonly chain: string; readonly handle: bigint},
): NetlinkMessage {
  return change('deleteRule', 0, ref.family, ruleAttributes, {table: ref.table, chain, handle});
}

/** Empties all chains of a table. */
export function deleteRulesOf({family, table}: TableRef): NetlinkMessage {
  return change('deleteRule', 0, family, ruleAttributes, {table});
}

/** Data types as nft numbers them, so that it can show our sets; a concatenation is 6 bits a part. */
const dataTypes = {ipv4Address: 7, ipv6Address: 8, protocol: 12, port: 13, interfaceName: 41} as const;
export type DataType = keyof typeof dataTypes;

/** Every part of a key or value takes whole 4-byte registers. */
const sizes: Readonly<Record<DataType, number>> = {
  ipv4Address: 4,
  ipv6Address: 16,
  protocol: 4,
  port: 4,
  interfaceName: 16,
};

export interface NewSet {
  readonly name: string;
  readonly key: readonly DataType[];
  /** A map: what each key leads to. */
  readonly data?: readonly DataType[];
}

const mapFlag = 8;

/** `id` is any number, unique in the transaction. */
export function addSet({family, table}: TableRef, {name, key, data: value}: NewSet, id: number): NetlinkMessage {
  return change('newSet', messageFlags.create, family, setAttributes, {
    table,
    name,
    flags: value ? mapFlag : 0,
    keyType: typeNumber(key),
    keyLength: typeSize(key),
    ...(value ? {dataType: typeNumber(value), dataLength: typeSize(value)} : {}),
    id,
    // How nft is to show a key of one interface name; it finds out for itself in a concatenation.
    ...(key.length === 1 && key[0] === 'interfaceName' ? {userData: hostByteOrder} : {}),
  });
}

/** libnftnl's NFTNL_UDATA_SET_KEYBYTEORDER: u8 type 0 · u8 length · u32 1 (host byte order). */
const hostByteOrder = Uint8Array.of(0, 4, 1, 0, 0, 0);

function typeNumber(parts: readonly DataType[]): number {
  return parts.reduce((number, part) => number * 64 + dataTypes[part], 0);
}

function typeSize(parts: readonly DataType[]): number {
  return parts.reduce((size, part) => size + sizes[part], 0);
}

export interface SetElement {
  readonly key: Uint8Array;
  readonly data?: Uint8Array;
  readonly comment?: string;
}

/** The same element again is no error; another value for a known key is (EBUSY). */
export function addElements(ref: TableRef, set: string, elements: readonly SetElement[]): NetlinkMessage {
  return elementsMessage('newElement', messageFlags.create, ref, set, elements);
}

/** An element that is not there is an error (ENOENT) that undoes the whole transaction. */
export function deleteElements(ref: TableRef, set: string, keys: readonly Uint8Array[]): NetlinkMessage {
  return elementsMessage(
    'deleteElement',
    0,
    ref,
    set,
    keys.map((key) => ({key})),
  );
}

/** Empties a set. */
export function flushSet({family, table}: TableRef, set: string): NetlinkMessage {
  return change('deleteElement', 0, family, elementsAttributes, {table, set});
}

function elementsMessage(
  kind: 'newElement' | 'deleteElement',
  flags: number,
  {family, table}: TableRef,
  set: string,
  elements: readonly SetElement[],
): NetlinkMessage {
  return change(kind, flags, family, elementsAttributes, {
    table,
    set,
    elements: elements.map(({key, data: value, comment: note}) => ({
      key: {value: key},
      ...(value === undefined ? {} : {data: {value}}),
      ...(note === undefined ? {} : {comment: note}),
    })),
  });
}

const noAttributes: Codec<object> = attributes({});

export function getTables(): NetlinkMessage {
  return message('getTable', messageFlags.dump, 0, noAttributes, {});
}

export function getChains(): NetlinkMessage {
  return message('getChain', messageFlags.dump, 0, noAttributes, {});
}

/** All rules of all tables, or those of one table or chain. */
export function getRules(ref?: TableRef & {readonly chain?: string}): NetlinkMessage {
  const {family = 0, ...filter} = ref ?? {};
  return message('getRule', messageFlags.dump, family, ruleAttributes, filter);
}

export function getElements({family, table}: TableRef, set: string): NetlinkMessage {
  return message('getElement', messageFlags.dump, family, elementsAttributes, {table, set});
}

/** Asks for the number of the rule set's latest change. */
export function getGeneration(): NetlinkMessage {
  return message('getGeneration', messageFlags.acknowledge, 0, noAttributes, {});
}

export interface ChainInfo extends TableRef {
  readonly chain: string;
  readonly base?: {readonly hook: number; readonly priority: number; readonly policy: number; readonly type: string};
}

export interface RuleInfo extends TableRef {
  readonly chain: string;
  readonly handle: bigint;
  /** Read when asked for: dumps hold many rules whose comment says enough. */
  readonly expressions: () => readonly Expression[];
  readonly comment: string;
}

function decoder<T, R>(
  kind: keyof typeof messageTypes,
  codec: Codec<T>,
  read: (values: T, family: number) => R,
): (received: NetlinkMessage) => R | undefined {
  return ({type, payload}) =>
    type === ((subsystem << 8) | messageTypes[kind])
      ? read(codec.decode(payload.subarray(headerSize)), payload[0] ?? 0)
      : undefined;
}

export const decodeTable = decoder(
  'newTable',
  tableAttributes,
  ({name = ''}, family): TableRef => ({family, table: name}),
);

export const decodeChain = decoder('newChain', chainAttributes, (values, family): ChainInfo => {
  const {table = '', name: chain = '', hook, policy = policies.accept, type = ''} = values;
  if (!hook) return {family, table, chain};
  return {family, table, chain, base: {hook: hook.number ?? 0, priority: hook.priority ?? 0, policy, type}};
});

export const decodeRule = decoder('newRule', receivedRuleAttributes, (values, family): RuleInfo => {
  const {table = '', chain = '', handle = 0n, expressions: found, comment: note = ''} = values;
  return {family, table, chain, handle, expressions: () => (found ? expressions.decode(found) : []), comment: note};
});

export const decodeElements = decoder('newElement', elementsAttributes, ({elements = []}): readonly SetElement[] =>
  elements.map(readElement),
);

export const decodeGeneration = decoder('newGeneration', generationAttributes, ({id = 0}) => id);

function readElement({key, data: value, comment: note}: Values<typeof elementSchema>): SetElement {
  return {
    key: key?.value ?? new Uint8Array(),
    ...(value?.value === undefined ? {} : {data: value.value}),
    ...(note === undefined ? {} : {comment: note}),
  };
}
