import type {BuildBody} from '../../api/types/build.ts';
import {formatPlatform, type Platform, parsePlatform} from '../image/platform.ts';

/** The platforms that are asked for, each once; none: whichever the images below have. */
export function platformsOf({platforms = []}: Pick<BuildBody, 'platforms'>): readonly Platform[] {
  const parsed = platforms.flatMap((words) => words.split(',')).map((word) => parsePlatform(word.trim()));
  return [...new Map(parsed.map((platform) => [formatPlatform(platform), platform])).values()];
}
