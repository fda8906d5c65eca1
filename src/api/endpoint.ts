import type {Parameter} from './parameters.ts';

/** Carries a type without a value. */
declare const carried: unique symbol;
interface Carries<T> {
  readonly [carried]?: T;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';

/** What a request carries beside its query. `optional`: an empty body is as good as `{}`. */
export type RequestBody =
  | {readonly kind: 'none'}
  | ({readonly kind: 'json'; readonly optional: boolean} & Carries<unknown>)
  | {readonly kind: 'bytes'; readonly contentType: string};

/**
 * What is answered.
 * - `none`: nothing but a status.
 * - `json`: one value. `early`: status and headers go out before the value is known (clients wait for the headers).
 * - `text`: a few characters of plain text.
 * - `stream`: bytes with a content type of the handler's choice.
 * - `described`: the same, and a value that tells of them in the header `header` (base64 of JSON).
 * - `header`: that value alone.
 * - `progress`: JSON values, one a line; a failure after the first one travels in-band. `early` as above.
 * - `upgrade`: the connection becomes a raw stream, each direction closed on its own.
 */
export type Answer =
  | {readonly kind: 'none'; readonly status: number}
  | ({readonly kind: 'json'; readonly status: number; readonly early: false} & Carries<unknown>)
  | ({readonly kind: 'json'; readonly status: number; readonly early: true} & Carries<unknown>)
  | {readonly kind: 'text'; readonly status: number}
  | {readonly kind: 'stream'; readonly status: number}
  | ({readonly kind: 'described'; readonly status: number; readonly header: string} & Carries<unknown>)
  | ({readonly kind: 'header'; readonly status: number; readonly header: string} & Carries<unknown>)
  | ({readonly kind: 'progress'; readonly status: number; readonly early: boolean} & Carries<unknown>)
  | {readonly kind: 'upgrade'; readonly status: number};

/**
 * One request of the Engine API. `path` is a template without version prefix: `{id}` takes one segment, `{+name}` may
 * hold slashes (RFC 6570, 3.2.3). What a row says gives both sides their types: {@link Calls} and {@link Handlers}.
 */
export interface Endpoint {
  readonly method: Method;
  readonly path: string;
  readonly query: Readonly<Record<string, Parameter<unknown>>>;
  /** Headers of the request that say something, in lower case, by the names that both sides know them by. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: RequestBody;
  readonly answer: Answer;
}

/** A raw two-way stream: what an upgraded request becomes. */
export interface Connection {
  readonly contentType: string;
  readonly readable: AsyncIterable<Uint8Array>;
  write(data: Uint8Array): Promise<void>;
  closeWrite(): Promise<void>;
  destroy(): void;
}

/** Bytes with their content type. */
export interface ByteStream {
  readonly contentType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Bytes, and what they are of. */
export interface DescribedBytes<T> extends ByteStream {
  readonly description: T;
}

export const noBody = {kind: 'none'} as const;
export function jsonBody<T>(options: {readonly optional?: boolean} = {}) {
  return {kind: 'json', optional: options.optional ?? false} as {
    readonly kind: 'json';
    readonly optional: boolean;
  } & Carries<T>;
}
export function bytesBody(contentType: string) {
  return {kind: 'bytes', contentType} as const;
}

export function none(status = 204) {
  return {kind: 'none', status} as const;
}
export function json<T>(status = 200) {
  return {kind: 'json', status, early: false} as {
    readonly kind: 'json';
    readonly status: number;
    readonly early: false;
  } & Carries<T>;
}
export function earlyJson<T>(status = 200) {
  return {kind: 'json', status, early: true} as {
    readonly kind: 'json';
    readonly status: number;
    readonly early: true;
  } & Carries<T>;
}
export function plainText() {
  return {kind: 'text', status: 200} as const;
}
export function stream() {
  return {kind: 'stream', status: 200} as const;
}
export function described<T>(header: string) {
  return {kind: 'described', status: 200, header} as {
    readonly kind: 'described';
    readonly status: number;
    readonly header: string;
  } & Carries<T>;
}
export function headerOnly<T>(header: string) {
  return {kind: 'header', status: 200, header} as {
    readonly kind: 'header';
    readonly status: number;
    readonly header: string;
  } & Carries<T>;
}
export function progress<T>(options: {readonly early?: boolean} = {}) {
  return {kind: 'progress', status: 200, early: options.early ?? false} as {
    readonly kind: 'progress';
    readonly status: number;
    readonly early: boolean;
  } & Carries<T>;
}
export function upgrade() {
  return {kind: 'upgrade', status: 101} as const;
}

type ParameterNames<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `+${infer Plain}` ? Plain : Name) | ParameterNames<Rest>
  : never;
export type PathOf<E extends Endpoint> = {readonly [K in ParameterNames<E['path']>]: string};
export type QueryOf<E extends Endpoint> = {
  readonly [K in keyof E['query']]?: (E['query'][K] extends Parameter<infer T> ? T : never) | undefined;
};
export type BodyOf<E extends Endpoint> = E['body'] extends {readonly kind: 'bytes'}
  ? AsyncIterable<Uint8Array>
  : E['body'] extends {readonly kind: 'json'}
    ? E['body'] extends Carries<infer T>
      ? T
      : never
    : undefined;

export type HeadersOf<E extends Endpoint> = {
  readonly [K in keyof NonNullable<E['headers']>]?: string | undefined;
};

type PathInput<T> = [keyof T] extends [never] ? {readonly path?: T} : {readonly path: T};
type BodyInput<T> = [T] extends [undefined] ? {readonly body?: undefined} : {readonly body: T};
/** What a caller states for one request. */
export type CallInput<E extends Endpoint> = PathInput<PathOf<E>> &
  BodyInput<BodyOf<E>> & {
    readonly query?: QueryOf<E>;
    readonly headers?: HeadersOf<E>;
    readonly signal?: AbortSignal | undefined;
  };
/** What a handler is given. */
export interface HandlerInput<E extends Endpoint> {
  readonly path: PathOf<E>;
  readonly query: QueryOf<E>;
  readonly headers: HeadersOf<E>;
  readonly body: BodyOf<E>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

type AnswerType<A extends Answer> = A extends Carries<infer T> ? T : never;
/** What a caller gets. */
export type CallOutput<E extends Endpoint> = E['answer'] extends infer A extends Answer
  ? A extends {readonly kind: 'none'}
    ? undefined
    : A extends {readonly kind: 'json'}
      ? AnswerType<A>
      : A extends {readonly kind: 'text'}
        ? string
        : A extends {readonly kind: 'stream'}
          ? ByteStream
          : A extends {readonly kind: 'described'}
            ? DescribedBytes<AnswerType<A>>
            : A extends {readonly kind: 'header'}
              ? AnswerType<A>
              : A extends {readonly kind: 'progress'}
                ? AsyncIterable<AnswerType<A>>
                : Connection
  : never;
/** What a handler answers. `later`: the value of an `early` answer. An upgrade may be declined with `undefined`. */
export type HandlerOutput<E extends Endpoint> = E['answer'] extends infer A extends Answer
  ? A extends {readonly kind: 'none'}
    ? Promise<void>
    : A extends {readonly kind: 'json'; readonly early: true}
      ? Promise<{readonly later: Promise<AnswerType<A>>}>
      : A extends {readonly kind: 'upgrade'}
        ? Promise<Connection | undefined>
        : Promise<CallOutput<E>>
  : never;

export type EndpointTable = Readonly<Record<string, Endpoint>>;
/** The client's side of a table: one function a row. */
export type Calls<T extends EndpointTable> = {
  readonly [K in keyof T]: (input: CallInput<T[K]>) => Promise<CallOutput<T[K]>>;
};
/** The server's side of a table: a missing handler does not compile. */
export type Handlers<T extends EndpointTable> = {
  readonly [K in keyof T]-?: (input: HandlerInput<T[K]>) => HandlerOutput<T[K]>;
};
