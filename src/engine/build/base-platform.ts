import type {BuildEvent} from '../../api/types/build.ts';
import {hasKind} from '../../base/errors.ts';
import type {FoundImage} from '../image/find.ts';
import {bestPlatform, formatPlatform, type Platform} from '../image/platform.ts';
import {findPlatform, readIndexEntries} from '../image/platforms.ts';
import {providePlatform} from '../image/provide-platform.ts';
import type {ImageRecord} from '../image/record.ts';
import {parseReference} from '../image/reference.ts';
import {authFor} from './auth-for.ts';
import type {BuildContext, BuildRequest} from './context.ts';

interface WantedPlatform {
  /** As it is written. */
  readonly reference: string;
  readonly platform: Platform | undefined;
  readonly request: Pick<BuildRequest, 'auths' | 'client'>;
  readonly signal: AbortSignal;
  readonly emit: (event: BuildEvent) => void;
}

/**
 * An image that was found, for the platform that is asked for. One that is here beside it is taken; one that its index names
 * is pulled beside it: the name goes on standing for what it stands for. Throws `notFound` for one that is of no such index.
 */
export async function baseForPlatform(
  context: BuildContext,
  {record}: FoundImage,
  {reference, platform, request, signal, emit}: WantedPlatform,
): Promise<ImageRecord> {
  const {images} = context;
  if (platform !== undefined && record?.target !== undefined && !(await isHere(context, reference, platform))) {
    const entries = (await readIndexEntries(images, record.target)).filter(({kind}) => kind === 'image');
    if (bestPlatform(entries, platform) !== undefined) {
      const {registry, repository} = parseReference(record.reference);
      const index = `${registry}/${repository}@${record.target.digest}`;
      const auth = await authFor(index, request);
      const wanted = {reference: index, beside: record.reference, platform: formatPlatform(platform), auth};
      for await (const progress of context.pull(wanted, signal)) emit({kind: 'pull', reference, progress});
      emit({kind: 'pulled', reference});
    }
  }
  return await providePlatform(images, reference, platform);
}

async function isHere({images}: BuildContext, reference: string, platform: Platform): Promise<boolean> {
  try {
    await findPlatform(images, reference, platform);
    return true;
  } catch (error) {
    if (hasKind(error, 'notFound')) return false;
    throw error;
  }
}
