import type {BuildAnnotation} from '../../../api/types/build-output.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {formatPlatform, type Platform, parsePlatform} from '../../image/platform.ts';

/** The annotations of one kind, for everything or for this platform. */
export function annotationsOf(
  annotations: readonly BuildAnnotation[] | undefined,
  of: BuildAnnotation['of'],
  platform?: Platform,
): Readonly<Record<string, string>> {
  const wanted = (annotations ?? []).filter(
    (annotation) =>
      annotation.of === of &&
      (annotation.platform === undefined ||
        (platform !== undefined && formatPlatform(parsePlatform(annotation.platform)) === formatPlatform(platform))),
  );
  return Object.fromEntries(wanted.map(({key, value}) => [key, value]));
}

/** Throws `invalid` for those that nothing would have. */
export function checkAnnotations(
  annotations: readonly BuildAnnotation[] | undefined,
  {platforms, hasIndex}: {readonly platforms: readonly Platform[]; readonly hasIndex: boolean},
): void {
  const built = platforms.map(formatPlatform);
  for (const {of, platform, key} of annotations ?? []) {
    if (of === 'index' && !hasIndex) {
      throw new TscomposeError('invalid', `annotation "${key}" is for an index, and the image has none`, {
        hint: 'annotate the manifest, or build for several platforms or with --provenance',
      });
    }
    if (platform === undefined || built.includes(formatPlatform(parsePlatform(platform)))) continue;
    throw new TscomposeError('invalid', `annotation "${key}" is for ${platform}, which is not built`, {
      hint: `built for: ${built.join(', ')}`,
    });
  }
}
