import {attributes, type Codec, list, raw, s32be, text, u8, u32be, u64be, type Values} from './attribute.ts';

/**
 * Expressions of nf_tables rules: each loads something into a register, compares, looks up or acts, and a rule is a list
 * of them. include/uapi/linux/netfilter/nf_tables.h.
 */

const verdictData = attributes({code: [1, s32be], chain: [2, text]});
/** A value, or a verdict with the chain it leads to. */
export const data = attributes({value: [1, raw], verdict: [2, verdictData]});

const kinds = {
  meta: {destination: [1, u32be], key: [2, u32be]},
  ct: {destination: [1, u32be], key: [2, u32be]},
  fib: {destination: [1, u32be], result: [2, u32be], flags: [3, u32be]},
  payload: {destination: [1, u32be], base: [2, u32be], offset: [3, u32be], length: [4, u32be]},
  bitwise: {
    source: [1, u32be],
    destination: [2, u32be],
    length: [3, u32be],
    mask: [4, data],
    xor: [5, data],
  },
  cmp: {source: [1, u32be], operator: [2, u32be], data: [3, data]},
  lookup: {set: [1, text], source: [2, u32be], destination: [3, u32be], flags: [5, u32be]},
  immediate: {destination: [1, u32be], data: [2, data]},
  nat: {
    type: [1, u32be],
    family: [2, u32be],
    addressMin: [3, u32be],
    addressMax: [4, u32be],
    portMin: [5, u32be],
    portMax: [6, u32be],
    flags: [7, u32be],
  },
  masq: {flags: [1, u32be]},
  redir: {portMin: [1, u32be], portMax: [2, u32be], flags: [3, u32be]},
  counter: {bytes: [1, u64be], packets: [2, u64be]},
  limit: {rate: [1, u64be], unit: [2, u64be], burst: [3, u32be], type: [4, u32be], flags: [5, u32be]},
  reject: {type: [1, u32be], code: [2, u8]},
} as const;

type Kinds = typeof kinds;
export type ExpressionKind = keyof Kinds;

/** An expression; `unknown` is one that others use and we do not read. */
export type Expression =
  | {[K in ExpressionKind]: {readonly kind: K} & Values<Kinds[K]>}[ExpressionKind]
  | {readonly kind: 'unknown'; readonly name: string; readonly data: Uint8Array};

const codecs = Object.fromEntries(
  Object.entries(kinds).map(([kind, schema]) => [kind, attributes(schema)]),
) as unknown as Readonly<Record<string, Codec<object>>>;

const envelope = attributes({name: [1, text], data: [2, {...raw, nested: true}]});

const expression: Codec<Expression> = {
  nested: true,
  encode(value) {
    if (value.kind === 'unknown') return envelope.encode({name: value.name, data: value.data});
    const {kind, ...values} = value;
    return envelope.encode({name: kind, data: codecs[kind]?.encode(values) ?? new Uint8Array()});
  },
  decode(bytes) {
    const {name = '', data: payload = new Uint8Array()} = envelope.decode(bytes);
    const codec = Object.hasOwn(kinds, name) ? codecs[name] : undefined;
    if (!codec) return {kind: 'unknown', name, data: payload};
    return {kind: name, ...codec.decode(payload)} as Expression;
  },
};

/** NFTA_LIST_ELEM. */
export const expressions = list(1, expression);

/** Verdicts: negative ones are nf_tables' own. */
export const verdicts = {drop: 0, accept: 1, jump: -3, goto: -4, return: -5} as const;
export type Verdict =
  | {readonly kind: 'accept' | 'drop' | 'return'}
  | {readonly kind: 'jump' | 'goto'; readonly chain: string};

const metaKeys = {mark: 3, iifname: 6, oifname: 7, nfproto: 15, l4proto: 16} as const;
const ctKeys = {state: 0, status: 2} as const;
const operators = {equal: 0, notEqual: 1} as const;
const payloadBases = {network: 1, transport: 2} as const;

/** Bits of a connection's state and status (nf_conntrack_common.h). */
export const connectionState = {invalid: 1, established: 2, related: 4, new: 8} as const;
export const connectionStatus = {sourceTranslated: 0x10, destinationTranslated: 0x20} as const;

/** A 4-byte register, 0 to 15; a longer value takes the following ones too (NFT_REG32_00). */
export function register(number: number): number {
  return 8 + number;
}

/** Interface names fill 16 bytes: a register's worth, padded with zeros. */
const interfaceNameLength = 16;

export function interfaceName(name: string): Uint8Array {
  const bytes = new Uint8Array(interfaceNameLength);
  bytes.set(Buffer.from(name, 'ascii'));
  return bytes;
}

type Single = (destination?: number) => Expression;

/** Expressions that load something into a register (the first one where not given). */
export const load = {
  iifname: ((destination = register(0)) => ({kind: 'meta', destination, key: metaKeys.iifname})) satisfies Single,
  oifname: ((destination = register(0)) => ({kind: 'meta', destination, key: metaKeys.oifname})) satisfies Single,
  nfproto: ((destination = register(0)) => ({kind: 'meta', destination, key: metaKeys.nfproto})) satisfies Single,
  l4proto: ((destination = register(0)) => ({kind: 'meta', destination, key: metaKeys.l4proto})) satisfies Single,
  ctState: ((destination = register(0)) => ({kind: 'ct', destination, key: ctKeys.state})) satisfies Single,
  ctStatus: ((destination = register(0)) => ({kind: 'ct', destination, key: ctKeys.status})) satisfies Single,
  /** What kind of address the destination is on this machine: RTN_LOCAL is 2. */
  destinationType: ((destination = register(0)) => ({kind: 'fib', destination, result: 3, flags: 2})) satisfies Single,
  /** Index of the interface that a packet came in by, if answers to its source would leave by the same one; else 0. */
  wayBack: ((destination = register(0)) => ({kind: 'fib', destination, result: 1, flags: 1 | 8})) satisfies Single,
  ipv4Destination: ((destination = register(0)) => network(destination, 16, 4)) satisfies Single,
  ipv6Destination: ((destination = register(0)) => network(destination, 24, 16)) satisfies Single,
  /** TCP and UDP have the destination port at the same place. */
  destinationPort: ((destination = register(0)) => ({
    kind: 'payload',
    destination,
    base: payloadBases.transport,
    offset: 2,
    length: 2,
  })) satisfies Single,
} as const;

function network(destination: number, offset: number, length: number): Expression {
  return {kind: 'payload', destination, base: payloadBases.network, offset, length};
}

export function equals(value: Uint8Array, source = register(0)): Expression {
  return {kind: 'cmp', source, operator: operators.equal, data: {value}};
}

export function differs(value: Uint8Array, source = register(0)): Expression {
  return {kind: 'cmp', source, operator: operators.notEqual, data: {value}};
}

/** Keeps the bits of `mask`. */
export function mask(value: Uint8Array, at = register(0)): Expression {
  return {
    kind: 'bitwise',
    source: at,
    destination: at,
    length: value.length,
    mask: {value},
    xor: {value: new Uint8Array(value.length)},
  };
}

/** A number as the registers hold it: machine byte order. */
export function nativeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Any of the bits is set: `ct state established,related`. */
export function hasBits(bits: number, at = register(0)): readonly Expression[] {
  return [mask(nativeNumber(bits), at), differs(nativeNumber(0), at)];
}

export function lacksBits(bits: number, at = register(0)): readonly Expression[] {
  return [mask(nativeNumber(bits), at), equals(nativeNumber(0), at)];
}

/** The value is in the set, or with `inverted` is not. */
export function inSet(set: string, {source = register(0), inverted = false} = {}): Expression {
  return {kind: 'lookup', set, source, ...(inverted ? {flags: 1} : {})};
}

/** Replaces the value by what a map has for it; the rule ends here where it has nothing. */
export function mapTo(set: string, {source = register(0), destination = register(0)} = {}): Expression {
  return {kind: 'lookup', set, source, destination};
}

export function decide(verdict: Verdict): Expression {
  const code = verdicts[verdict.kind];
  const chain = 'chain' in verdict ? {chain: verdict.chain} : {};
  return {kind: 'immediate', destination: 0, data: {verdict: {code, ...chain}}};
}

/** Destination translation to an address and port from registers. `family`: 2 (IPv4) or 10 (IPv6). */
export function translateDestination(options: {
  readonly family: number;
  readonly address: number;
  readonly port: number;
}): Expression {
  const {family, address, port} = options;
  return {kind: 'nat', type: 1, family, addressMin: address, portMin: port};
}

export const masquerade: Expression = {kind: 'masq'};
export const counter: Expression = {kind: 'counter', bytes: 0n, packets: 0n};
