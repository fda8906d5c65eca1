import type {Connection} from '../api/endpoint.ts';

/** A request as it comes from a transport in this process or from a socket. `path` may start with a version: `/v1.51`. */
export interface ServerRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  /** Keys in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A JSON value, or bytes as they come. */
  readonly body?: {readonly json: unknown} | {readonly stream: AsyncIterable<Uint8Array>; readonly contentType: string};
  /** Aborted when the client is gone. */
  readonly signal?: AbortSignal;
}

/** `later`: status and headers go out now, the value when it is known. */
export interface ServerResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body:
    | {readonly json: unknown}
    | {readonly later: Promise<unknown>}
    | {readonly stream: AsyncIterable<Uint8Array>};
  /** The error itself, where the response tells of one; it does not travel. */
  readonly cause?: unknown;
}

/** An upgrade that was granted, or the response it was declined with. */
export type UpgradeAnswer = {readonly connection: Connection} | {readonly response: ServerResponse};
