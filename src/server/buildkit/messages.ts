import {type INamespace, Root, type Type} from 'protobufjs/light.js';

/** A field: its type, its number, and how often it is there. */
type Field = readonly [type: string, number: number, rule?: 'repeated' | 'map'];

/**
 * The messages of BuildKit's gRPC services that are spoken here, by the names of its `.proto` files (control, gateway,
 * filesync, secrets, ssh, and `wire.proto` of fsutil); fields that nobody here reads are left out: a decoder skips them.
 */
const messages = {
  Timestamp: {seconds: ['int64', 1], nanos: ['int32', 2]},
  BytesMessage: {data: ['bytes', 1]},
  Status: {code: ['int32', 1], message: ['string', 2]},

  // control.proto
  SolveRequest: {
    ref: ['string', 1],
    exporter: ['string', 3],
    exporterAttrs: ['string', 4, 'map'],
    session: ['string', 5],
    frontend: ['string', 6],
    frontendAttrs: ['string', 7, 'map'],
    cache: ['CacheOptions', 8],
    entitlements: ['string', 9, 'repeated'],
    frontendInputs: ['Definition', 10, 'map'],
    exporters: ['Exporter', 13, 'repeated'],
  },
  CacheOptions: {exports: ['CacheEntry', 4, 'repeated'], imports: ['CacheEntry', 5, 'repeated']},
  CacheEntry: {type: ['string', 1], attrs: ['string', 2, 'map']},
  Exporter: {type: ['string', 1], attrs: ['string', 2, 'map']},
  SolveResponse: {exporterResponse: ['string', 1, 'map']},
  StatusRequest: {ref: ['string', 1]},
  StatusResponse: {
    vertexes: ['Vertex', 1, 'repeated'],
    statuses: ['VertexStatus', 2, 'repeated'],
    logs: ['VertexLog', 3, 'repeated'],
    warnings: ['VertexWarning', 4, 'repeated'],
  },
  Vertex: {
    digest: ['string', 1],
    inputs: ['string', 2, 'repeated'],
    name: ['string', 3],
    cached: ['bool', 4],
    started: ['Timestamp', 5],
    completed: ['Timestamp', 6],
    error: ['string', 7],
  },
  VertexStatus: {
    id: ['string', 1],
    vertex: ['string', 2],
    name: ['string', 3],
    current: ['int64', 4],
    total: ['int64', 5],
    timestamp: ['Timestamp', 6],
    started: ['Timestamp', 7],
    completed: ['Timestamp', 8],
  },
  VertexLog: {vertex: ['string', 1], timestamp: ['Timestamp', 2], stream: ['int64', 3], msg: ['bytes', 4]},
  VertexWarning: {
    vertex: ['string', 1],
    level: ['int64', 2],
    short: ['bytes', 3],
    detail: ['bytes', 4, 'repeated'],
    url: ['string', 5],
    info: ['SourceInfo', 6],
    ranges: ['Range', 7, 'repeated'],
  },
  SourceInfo: {filename: ['string', 1], data: ['bytes', 2], language: ['string', 4]},
  Range: {start: ['Position', 1], end: ['Position', 2]},
  Position: {line: ['int32', 1], character: ['int32', 2]},
  BuildHistoryRequest: {},
  BuildHistoryEvent: {},
  InfoRequest: {},
  InfoResponse: {buildkitVersion: ['BuildkitVersion', 1]},
  BuildkitVersion: {package: ['string', 1], version: ['string', 2], revision: ['string', 3]},
  ListWorkersRequest: {filter: ['string', 1, 'repeated']},
  ListWorkersResponse: {record: ['WorkerRecord', 1, 'repeated']},
  WorkerRecord: {id: ['string', 1], labels: ['string', 2, 'map'], platforms: ['Platform', 3, 'repeated']},
  Platform: {architecture: ['string', 1], os: ['string', 2], variant: ['string', 3]},

  DiskUsageRequest: {filter: ['string', 1, 'repeated']},
  DiskUsageResponse: {record: ['UsageRecord', 1, 'repeated']},
  PruneRequest: {
    filter: ['string', 1, 'repeated'],
    all: ['bool', 2],
    keepDuration: ['int64', 3],
    reservedSpace: ['int64', 4],
    maxUsedSpace: ['int64', 5],
    minFreeSpace: ['int64', 6],
  },
  UsageRecord: {
    id: ['string', 1],
    mutable: ['bool', 2],
    inUse: ['bool', 3],
    size: ['int64', 4],
    createdAt: ['Timestamp', 6],
    lastUsedAt: ['Timestamp', 7],
    usageCount: ['int64', 8],
    description: ['string', 9],
    recordType: ['string', 10],
    shared: ['bool', 11],
  },

  // gateway.proto
  PingRequest: {},
  PongResponse: {
    frontendAPICaps: ['APICap', 1, 'repeated'],
    llbCaps: ['APICap', 2, 'repeated'],
    workers: ['WorkerRecord', 3, 'repeated'],
  },
  APICap: {id: ['string', 1], enabled: ['bool', 2]},
  BridgeSolveRequest: {
    definition: ['bytes', 1],
    frontend: ['string', 2],
    frontendOpt: ['string', 3, 'map'],
    frontendInputs: ['Definition', 13, 'map'],
    cacheImports: ['CacheEntry', 12, 'repeated'],
  },
  BridgeSolveResponse: {ref: ['string', 1], result: ['Result', 3]},
  // Clients return it in the older of its two forms.
  Result: {refDeprecated: ['string', 1], ref: ['Ref', 3], metadata: ['bytes', 10, 'map']},
  Ref: {id: ['string', 1], definition: ['Definition', 2]},
  EvaluateRequest: {ref: ['string', 1]},
  EvaluateResponse: {},
  ReturnRequest: {result: ['Result', 1], error: ['Status', 2]},
  ReturnResponse: {},

  // ops.proto
  Definition: {def: ['bytes', 1, 'repeated'], metadata: ['OpMetadata', 2, 'map']},
  OpMetadata: {},
  Op: {inputs: ['OpInput', 1, 'repeated'], source: ['SourceOp', 3]},
  OpInput: {digest: ['string', 1], index: ['int64', 2]},
  SourceOp: {identifier: ['string', 1]},

  // filesync.proto, auth.proto, secrets.proto, ssh.proto
  CredentialsRequest: {host: ['string', 1]},
  CredentialsResponse: {username: ['string', 1], secret: ['string', 2]},
  GetSecretRequest: {id: ['string', 1], annotations: ['string', 2, 'map']},
  GetSecretResponse: {data: ['bytes', 1]},
  CheckAgentRequest: {id: ['string', 1]},
  CheckAgentResponse: {},

  // fsutil
  Packet: {type: ['int32', 1], stat: ['Stat', 2], id: ['uint32', 3], data: ['bytes', 4]},
  Stat: {
    path: ['string', 1],
    mode: ['uint32', 2],
    uid: ['uint32', 3],
    gid: ['uint32', 4],
    size: ['int64', 5],
    modTime: ['int64', 6],
    linkname: ['string', 7],
    devmajor: ['int64', 8],
    devminor: ['int64', 9],
    xattrs: ['bytes', 10, 'map'],
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>;

type Messages = typeof messages;
export type MessageName = keyof Messages;

interface Scalars {
  readonly string: string;
  readonly bytes: Uint8Array;
  readonly bool: boolean;
  readonly int32: number;
  readonly uint32: number;
  /** Numbers beyond 2^53 are rounded. */
  readonly int64: number;
}

type ValueOf<T> = T extends keyof Scalars ? Scalars[T] : T extends MessageName ? Message<T> | undefined : never;
type FieldValue<F> = F extends readonly [infer T, number, 'repeated']
  ? readonly NonNullable<ValueOf<T>>[]
  : F extends readonly [infer T, number, 'map']
    ? Readonly<Record<string, NonNullable<ValueOf<T>>>>
    : F extends readonly [infer T, number]
      ? ValueOf<T>
      : never;
/** What is decoded: fields that were not sent have the value that stands for nothing, messages in it are then undefined. */
export type Message<N extends MessageName> = {readonly [F in keyof Messages[N]]: FieldValue<Messages[N][F]>};
/** What is encoded: what is left out is not sent. */
export type MessageInput<N extends MessageName> = {
  readonly [F in keyof Messages[N]]?: InputValue<Messages[N][F]> | undefined;
};
type InputOf<T> = T extends keyof Scalars ? Scalars[T] : T extends MessageName ? MessageInput<T> : never;
type InputValue<F> = F extends readonly [infer T, number, 'repeated']
  ? readonly InputOf<T>[]
  : F extends readonly [infer T, number, 'map']
    ? Readonly<Record<string, InputOf<T>>>
    : F extends readonly [infer T, number]
      ? InputOf<T>
      : never;

const root = Root.fromJSON({
  nested: mapValues(messages, (fields) => ({fields: mapValues(fields, describe)})),
} as INamespace);

function describe([type, id, rule]: Field): object {
  return {type, id, ...(rule === 'map' ? {keyType: 'string'} : rule === undefined ? {} : {rule})};
}

function mapValues<T, R>(table: Readonly<Record<string, T>>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [name, change(value)]));
}

export function encode<N extends MessageName>(name: N, value: MessageInput<N>): Uint8Array {
  return typeOf(name).encode(value).finish();
}

/** Throws where the bytes are no such message. */
export function decode<N extends MessageName>(name: N, bytes: Uint8Array): Message<N> {
  const type = typeOf(name);
  return type.toObject(type.decode(bytes), {defaults: true, arrays: true, objects: true, longs: Number}) as Message<N>;
}

function typeOf(name: MessageName): Type {
  return root.lookupType(name);
}
