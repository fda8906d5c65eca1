import {imageOf} from '../model/image.ts';
import type {Project} from '../model/types.ts';

/** What an image is looked up and told apart by: its name, and the platform that it is wanted for where that is stated. */
export function imageKey(image: string, platform?: string): string {
  return platform === undefined ? image : `${image}${forPlatform}${platform}`;
}

/** No name has spaces. */
const forPlatform = ' for ';

/** That of the image of a service's containers. */
export function imageKeyOf(project: Pick<Project, 'name' | 'services'>, service: string): string | undefined {
  const image = imageOf(project, service);
  return image === undefined ? undefined : imageKey(image, project.services[service]?.platform);
}

/** Whether an image is there for any platform that it was looked for. */
export function isHereAtAll(images: Readonly<Record<string, unknown>>, image: string): boolean {
  return Object.keys(images).some((key) => key === image || isStated(key, image));
}

/** Whether an image was pulled for a stated platform, and so its name may stand for that one now. */
export function isNameTaken(pulled: ReadonlySet<string>, image: string): boolean {
  return !pulled.has(image) && [...pulled].some((key) => isStated(key, image));
}

function isStated(key: string, image: string): boolean {
  return key.startsWith(`${image}${forPlatform}`);
}

/**
 * Images in the order in which they are pulled: the one for no stated platform after those for others, since a name stands for
 * what it was pulled for last.
 */
export function inOrder<T extends {readonly image: string; readonly platform?: string}>(
  wanted: readonly T[],
): readonly T[] {
  const stated = new Set(wanted.flatMap(({image, platform}) => (platform === undefined ? [] : image)));
  const isLast = ({image, platform}: T) => platform === undefined && stated.has(image);
  return [...wanted.filter((one) => !isLast(one)), ...wanted.filter(isLast)];
}
