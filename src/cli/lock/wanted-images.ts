import {baseImages} from '../../engine/build/base-images.ts';
import {normaliseReference} from '../../engine/image/reference.ts';
import {imageOf, mountedImages} from '../../model/image.ts';
import {buildArguments, type ServiceBuild, serviceBuilds} from '../../model/lower-build.ts';
import type {Project} from '../../model/types.ts';
import {readServiceFiles} from '../build/service-files.ts';
import type {CliContext} from '../context.ts';
import {imagePrefix, isOpen} from './open-name.ts';

/** A name that has to stand for one image. */
export interface WantedImage {
  /** In full: `docker.io/library/redis:7`. */
  readonly reference: string;
  /** Where it is in the stack: `services.db.image`. */
  readonly path: string;
}

export interface WantedImages {
  /** By name in full. */
  readonly images: ReadonlyMap<string, WantedImage>;
  /** By service: names in full of what it is built upon. */
  readonly builds: ReadonlyMap<string, readonly string[]>;
  /** Services whose Dockerfiles are not on this machine: what they are built upon is not known. */
  readonly unread: readonly string[];
}

/**
 * Everything that the services take from elsewhere: their images, those that they mount, and those that they are built upon.
 * What the stack builds is none of it.
 */
export async function wantedImages(context: Pick<CliContext, 'cwd'>, project: Project): Promise<WantedImages> {
  const images = new Map<string, WantedImage>();
  const builds = new Map<string, readonly string[]>();
  const unread: string[] = [];
  const stated = serviceBuilds(project);
  const own = new Set(stated.map(({image}) => normaliseReference(image)));
  const want = (written: string, path: string): readonly string[] => {
    if (!isOpen(written)) return [];
    const reference = normaliseReference(written);
    if (own.has(reference)) return [];
    if (!images.has(reference)) images.set(reference, {reference, path});
    return [reference];
  };
  for (const [name, service] of Object.entries(project.services)) {
    const image = service.build === undefined ? imageOf(project, name) : undefined;
    if (image !== undefined) want(image, `services.${name}.image`);
    for (const mounted of mountedImages(service)) want(mounted, `services.${name}.volumes`);
  }
  for (const build of stated) {
    const [name = ''] = build.services;
    const found = await imagesBelow(context, project, build);
    if (found === undefined) {
      unread.push(name);
      continue;
    }
    builds.set(name, [...new Set(found.flatMap((written) => want(written, `services.${name}.build`)))]);
  }
  return {images, builds, unread};
}

/** Undefined where its Dockerfile comes with a context that is fetched. */
async function imagesBelow(
  context: Pick<CliContext, 'cwd'>,
  project: Project,
  build: ServiceBuild,
): Promise<readonly string[] | undefined> {
  const [name = ''] = build.services;
  const {dockerfile} = await readServiceFiles(context, build);
  if (!('text' in dockerfile)) return undefined;
  const platform = {...project.disabledServices, ...project.services}[name]?.platform ?? build.build.platforms?.[0];
  const {target, additional_contexts: named = {}} = build.build;
  const bases = await baseImages({
    ...{source: dockerfile, arguments: buildArguments(build.build), contexts: Object.keys(named)},
    ...{architecture: process.arch, platform},
    ...(target === undefined ? {} : {target}),
  });
  const contexts = Object.values(named).flatMap((context) =>
    context.startsWith(imagePrefix) ? [context.slice(imagePrefix.length)] : [],
  );
  return [...bases, ...contexts];
}
