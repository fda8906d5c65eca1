/** A request as a registry gets it, without sockets. */
export interface RegistryRequest {
  readonly method: string;
  /** Of the URL, still encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Keys in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Address of the client. */
  readonly remote: string;
  readonly isSecure: boolean;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export interface RegistryResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Of a stream the headers tell the length. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** For the log; it does not travel. */
  readonly note?: string;
}

export function jsonResponse(
  value: unknown,
  headers: RegistryResponse['headers'] = {},
  status = 200,
): RegistryResponse {
  return {
    status,
    headers: {'content-type': 'application/json', ...headers},
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** Reads a body that has to be small. Undefined for one that is larger; what is left of it is not read. */
export async function readAtMost(body: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > most) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
