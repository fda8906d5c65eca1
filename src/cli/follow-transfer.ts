import type {ImageProgress} from '../api/types/image.ts';
import type {CliContext} from './context.ts';
import {withReporter} from './progress.ts';

export interface FollowTransfer {
  /** `pull redis:7`. */
  readonly title: string;
  readonly image: string;
  readonly quiet: boolean;
  /** Begins it: the work is done while its lines are read. */
  readonly begin: (signal: AbortSignal) => Promise<AsyncIterable<ImageProgress>>;
}

/** Pulls or pushes an image, and tells on standard output how it comes along, as Docker does. */
export async function followTransfer(context: CliContext, {title, image, quiet, begin}: FollowTransfer): Promise<void> {
  await withReporter(context, {title, quiet, stream: context.stdout}, async ({report, signal}) => {
    for await (const progress of await begin(signal)) report({kind: 'transfer', image, progress});
  });
}
