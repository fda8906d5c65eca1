import type {ImageProgress} from '../../api/types/image.ts';
import {readDirectory} from './archive.ts';
import {changeStore} from './change.ts';
import {runWithProgress} from './channel.ts';
import type {ImageContext} from './context.ts';
import {addImage} from './load.ts';
import {readLayoutImage} from './oci-layout.ts';
import {machinePlatform, parsePlatform} from './platform.ts';

export interface LayoutImage {
  /** The layout's directory. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly platform?: string | undefined;
}

/** Reads one image of an OCI layout into the store, without a name. Answers its id. Throws as `loadImages`. */
export async function loadLayoutImage(
  context: ImageContext,
  {path, tag, digest, platform}: LayoutImage,
  signal: AbortSignal,
): Promise<string> {
  const wanted = platform ? parsePlatform(platform) : machinePlatform(context.architecture);
  let id = '';
  const load = runWithProgress<ImageProgress>(
    (channel, stopped) =>
      changeStore(context, channel, stopped, async (change) => {
        const files = readDirectory(path, change.staging);
        id = await addImage(change, await readLayoutImage(files, {tag, digest, shown: `"${path}"`}, wanted));
      }),
    signal,
  );
  for await (const _ of load);
  return id;
}
