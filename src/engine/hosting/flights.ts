import {hasKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {ImageContext} from '../image/context.ts';
import type {Ingest} from '../image/ingest.ts';
import {type ContentSession, openSession} from '../image/session.ts';
import type {Connection} from '../registry/connection.ts';
import {downloadBlob} from '../registry/download.ts';
import {firstThatAnswers} from '../registry/registries.ts';
import {type HostedBlob, openBlob} from './blob.ts';
import {linkBlob} from './put.ts';
import type {RepositoryRecords} from './records.ts';

/** A blob of another registry that is to come. */
export interface FlightRequest {
  readonly repository: string;
  readonly digest: string;
  readonly size: number;
  /** Of the repository that keeps it. */
  readonly records: RepositoryRecords;
  /** Where it can be had, in the order in which to ask. */
  readonly places: readonly Connection[];
}

/** Blobs that come from elsewhere, each once however many ask for it; they come whole though all who asked are gone. */
export interface Flights {
  /** Undefined where nobody has it. Throws `unavailable`. */
  join(request: FlightRequest): Promise<HostedBlob | undefined>;
  close(): Promise<void>;
}

interface Flight {
  readonly ingest: Ingest;
  /** Resolves with the first bytes, or with the whole. */
  readonly begun: Promise<void>;
  readonly done: Promise<void>;
}

export function createFlights(context: ImageContext): Flights {
  const flying = new Map<string, Promise<Flight>>();
  const closing = new AbortController();

  const start = async (request: FlightRequest): Promise<Flight> => {
    const {digest, size} = request;
    const session = await openSession(context);
    const ingest = await session.ingest({digest, size, signal: closing.signal}).catch(async (error) => {
      await session[Symbol.asyncDispose]();
      throw error;
    });
    let tell = () => {};
    const first = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const done = fly(request, {session, ingest, tell, signal: closing.signal}).finally(() => flying.delete(digest));
    // Whoever reads it is told.
    done.catch(() => undefined);
    return {ingest, begun: Promise.race([first, done]), done};
  };

  return {
    async join(request) {
      const {digest, size} = request;
      const flight = flying.get(digest) ?? start(request);
      flying.set(digest, flight);
      try {
        const {ingest, begun, done} = await flight.catch((error) => {
          flying.delete(digest);
          throw error;
        });
        await begun;
        if (ingest.source.isWhole) {
          await done;
          // Another repository may have asked for it first.
          await using session = await openSession(context);
          await linkBlob(session, request.records, {digest, stored: digest});
          return await openBlob(context, digest);
        }
        return {size, hasParts: false, read: () => heldBack(ingest.source.read()), async close() {}};
      } catch (error) {
        if (hasKind(error, 'notFound')) return undefined;
        throw new TscomposeError('unavailable', toTscomposeError(error).message, {cause: error});
      }
    },

    async close() {
      closing.abort();
      await Promise.allSettled([...flying.values()].map(async (flight) => await (await flight).done));
    },
  };
}

/** The last piece goes out when the whole is known to be right: what is not never looks complete. */
async function* heldBack(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined;
  for await (const piece of content) {
    if (last !== undefined) yield last;
    last = piece;
  }
  if (last !== undefined) yield last;
}

interface Flying {
  readonly session: ContentSession;
  readonly ingest: Ingest;
  readonly tell: () => void;
  readonly signal: AbortSignal;
}

async function fly(
  {repository, digest, size, records, places}: FlightRequest,
  {session, ingest, tell, signal}: Flying,
) {
  try {
    if (!ingest.present) {
      const sink = {
        get offset() {
          return ingest.offset;
        },
        restart: () => ingest.restart(),
        async write(chunk: Uint8Array) {
          await ingest.write(chunk);
          tell();
        },
      };
      await firstThatAnswers(places, (place) =>
        downloadBlob(place, {repository, descriptor: {digest, size}, sink, signal}),
      );
      await ingest.commit();
    }
    await linkBlob(session, records, {digest, stored: digest});
  } finally {
    await ingest[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
  }
}
