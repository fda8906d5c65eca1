/** A request to an engine, as any transport carries it. `path` has no version prefix. */
export interface CallRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** A JSON value, or bytes as they come. */
  readonly body?: {readonly json: unknown} | {readonly stream: AsyncIterable<Uint8Array>; readonly contentType: string};
  readonly signal?: AbortSignal;
}

export interface CallResponse {
  readonly status: number;
  /** Keys in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The value of a JSON answer, or the bytes of any other as they come. */
  readonly body: {readonly json: unknown} | {readonly stream: AsyncIterable<Uint8Array>};
  /** In process only: the error that the answer tells of, for whoever looks for a fault. Nothing branches on it. */
  readonly cause?: unknown;
}

/** A connection turned into a raw stream, each direction closed on its own (HTTP Upgrade: tcp). */
export interface Upgraded {
  readonly contentType: string;
  readonly readable: AsyncIterable<Uint8Array>;
  write(data: Uint8Array): Promise<void>;
  closeWrite(): Promise<void>;
  destroy(): void;
}

/** What an engine offers beyond Docker's API. `files`: TscomposeFiles; `sync`: files into containers, with what was synced so far; `platforms`: all platforms of an image are pulled, and their manifests told; `locks`: project locks. */
export type Feature = 'files' | 'sync' | 'platforms' | 'locks';

/** The one way to an engine: in-process, unix socket, TCP, TLS or ssh. */
export interface Transport {
  call(request: CallRequest): Promise<CallResponse>;
  upgrade(request: CallRequest): Promise<Upgraded>;
  features(): Promise<ReadonlySet<Feature>>;
  /** Only with feature `locks`: a lock on a project for all processes that use the same engine. */
  lock?(
    project: string,
    options?: {readonly signal?: AbortSignal; readonly onWait?: () => void},
  ): Promise<AsyncDisposable>;
  close(): Promise<void>;
}
