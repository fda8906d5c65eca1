import type {BuildBody, BuildEvent} from '../../../api/types/build.ts';
import {hasKind, TscomposeError} from '../../../base/errors.ts';
import {createBlobStore} from '../../image/blobs.ts';
import {parseJson} from '../../image/configuration.ts';
import type {Platform} from '../../image/platform.ts';
import {providePlatform} from '../../image/provide-platform.ts';
import type {BuildWork} from '../context.ts';
import type {MadeStep} from '../solve.ts';
import {makeRecords, type ReadCache, readRecords} from './config.ts';
import type {OpenedCache} from './opened.ts';
import {parentKey} from './told-steps.ts';

/** BuildKit's place in an image's configuration: base64 of the JSON of the results, whose layers are the image's own. */
const member = 'moby.buildkit.cache.v0';

/** Clients that know no `cacheTo` ask by BuildKit's build argument. */
export function wantsInline({cacheTo, arguments: given}: Pick<BuildBody, 'cacheTo' | 'arguments'>): boolean {
  const asked = Object.hasOwn(given, argument) ? (given[argument] ?? '') : '';
  return cacheTo?.some(({kind}) => kind === 'inline') === true || /^(?:1|t|true)$/i.test(asked);
}

const argument = 'BUILDKIT_INLINE_CACHE';

/** A build that writes files has no place for it. */
export const noImageForCache: BuildEvent = {
  kind: 'warning',
  warning: {
    severity: 'warning',
    code: 'cache-not-exported',
    message: 'there is no image that the cache could be kept in (type=inline): files are written',
  },
};

/** What an image's configuration gets beside the rest. The steps are those of its own layers, lowest first. */
export function inlineCache(steps: readonly MadeStep[], layers: number): Readonly<Record<string, string>> {
  const below = layers - steps.length;
  const told = steps.map((step) => ({...step, parent: parentKey(steps, step)}));
  const records = makeRecords(told, (_step, index) => below + index);
  return {[member]: Buffer.from(JSON.stringify(records)).toString('base64')};
}

/** Undefined: there is none. Throws `invalid` for one that is not as it should be. */
export function readInlineCache(configuration: Uint8Array, layers: number, what: string): ReadCache | undefined {
  const text = parseJson(configuration, what)[member];
  if (typeof text !== 'string' || text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  } catch (cause) {
    throw new TscomposeError('invalid', `${what}: its cache is not JSON`, {cause});
  }
  return readRecords(value, layers, `${what}: its cache`);
}

/**
 * The cache in an image that is here: its layers are, too. Undefined: there is no such image, not for that platform, or no cache
 * in it.
 */
export async function openImageCache(
  {images, session}: BuildWork,
  reference: string,
  platform: Platform | undefined,
): Promise<OpenedCache | undefined> {
  const found = await providePlatform(images, reference, platform).catch((error: unknown) => {
    if (hasKind(error, 'notFound', 'conflict')) return undefined;
    throw error;
  });
  const image = found && (await session.findImage(found.id));
  if (image === undefined) return undefined;
  const bytes = await createBlobStore(images.layout.images.blobs).read(image.id);
  const read = readInlineCache(bytes, image.layers.length, `image ${reference}`);
  if (read === undefined) return undefined;
  return {
    isForeign: read.isForeign,
    async take(key) {
      const step = read.steps.get(key);
      const layer = step && image.layers[step.layer];
      return step && layer && {layer, created: step.created};
    },
  };
}
