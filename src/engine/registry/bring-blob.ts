import type {ImageProgress} from '../../api/types/image.ts';
import type {Channel} from '../image/channel.ts';
import type {ImageContext} from '../image/context.ts';
import type {Descriptor} from '../image/descriptors.ts';
import type {Platform} from '../image/platform.ts';
import type {ContentSession} from '../image/session.ts';
import type {Connection} from './connection.ts';
import {downloadBlob} from './download.ts';
import type {LaterBlob} from './later-blob.ts';
import {firstThatAnswers, type Registries} from './registries.ts';
import {shortDigest, transferProgress} from './transfer-progress.ts';

/** What transfers work with. */
export interface TransferContext {
  readonly images: ImageContext;
  readonly session: () => Promise<ContentSession>;
  readonly registries: Registries;
}

export interface PullWork {
  readonly allPlatforms: boolean;
  readonly beside: string | undefined;
  readonly context: TransferContext;
  readonly connections: readonly Connection[];
  readonly platform: Platform;
  readonly channel: Channel<ImageProgress>;
  readonly signal: AbortSignal;
}

export interface OnePull extends PullWork {
  readonly session: ContentSession;
  /** Where the manifest came from. */
  readonly connection: Connection;
}

/** Layers that are downloaded at the same time. */
export const downloadsMax = 3;

/** One blob, from where the manifest came from, or from another place that has it. */
export async function bringBlob(
  work: OnePull,
  repository: string,
  descriptor: Descriptor,
  reader?: Pick<LaterBlob, 'arrive' | 'fail'>,
): Promise<void> {
  const {session, connection, connections, signal, channel, context} = work;
  const {digest, size} = descriptor;
  const progress = reader && transferProgress(channel, shortDigest(digest), context.images.now);
  await using ingest = await session.ingest({digest, size, signal, onWait: () => progress?.say('Waiting')});
  reader?.arrive(ingest.source);
  if (ingest.present) {
    progress?.say('Already exists');
    return;
  }
  const order = [connection, ...connections.filter((other) => other !== connection)];
  try {
    await firstThatAnswers(order, (place) =>
      downloadBlob(place, {
        ...{repository, descriptor, sink: ingest, signal},
        onProgress: (bytes) => progress?.at('Downloading', bytes, size),
        onRetry: ({message}) => progress?.say(`Retrying: ${message}`),
      }),
    );
    progress?.say('Verifying Checksum');
    await ingest.commit();
  } catch (error) {
    // Before the ingest is given up, which ends whoever reads from it: that is no cause of its own.
    reader?.fail(error);
    throw error;
  }
  progress?.say('Download complete');
}
