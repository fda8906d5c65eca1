import {setTimeout as delay} from 'node:timers/promises';
import {TscomposeError} from '../../base/errors.ts';
import {type FilesOptions, type FilesProcess, startFilesProcess} from '../helper/files-process.ts';
import type {FilesOperation} from '../helper/operations.ts';
import type {ContainerContext} from './context.ts';
import {withContainer} from './operation.ts';
import type {FoundContainer} from './reference.ts';
import {type SyncPlace, withSyncPlace} from './sync-place.ts';

/** A container that restarts all the time is hard to hit. */
const attempts = 10;

export interface OpenFiles extends FilesProcess {
  readonly found: FoundContainer;
}

/**
 * Starts a request about a container's files and answers when it is where they are. As long as it works on those of a
 * container that does not run, nobody starts it; a running one may go on, and end, and be removed. Throws `notFound` for
 * a container, or what the helper answers.
 */
export function openContainerFiles(
  context: ContainerContext,
  reference: string,
  request: (place: SyncPlace, found: FoundContainer) => FilesOperation | Promise<FilesOperation>,
  options: FilesOptions,
): Promise<OpenFiles> {
  return new Promise((resolve, reject) => {
    const open = async (found: FoundContainer) => {
      for (let attempt = 0; attempt < attempts; attempt++) {
        let opened = false;
        const {ended} = await withSyncPlace(
          context,
          found,
          async (place) => {
            const process = await startFilesProcess(context.helper, await request(place, found), options);
            if (process.reply.ended === true) {
              for await (const _ of process.output);
              return {ended: true};
            }
            opened = true;
            resolve({...process, output: until(process.output, () => released), found});
            // The mounts of a running container are copied by now.
            if (place.operations.length > 0) await process.gone;
            return {ended: false};
          },
          'archive',
        );
        if (opened || ended === false) return;
        await delay(2 ** attempt);
      }
      throw new TscomposeError('conflict', 'it ends and starts again all the time', {
        hint: 'stop the container, or see its output with "tscompose logs"',
      });
    };
    const released: Promise<void> = withContainer(context, reference, open, options);
    released.catch(reject);
  });
}

/** Nothing of it goes on behind the reader's back. */
async function* until(bytes: AsyncIterable<Uint8Array>, released: () => Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } finally {
    await released().catch(() => undefined);
  }
}
