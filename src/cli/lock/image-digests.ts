import type {Json} from '../../base/canonical-json.ts';
import {normaliseReference} from '../../engine/image/reference.ts';
import type {Project} from '../../model/types.ts';
import {yamlText} from '../../model/yaml-text.ts';
import type {CliContext} from '../context.ts';
import {withEngine} from '../session.ts';
import {isOpen} from './open-name.ts';
import {resolveAll} from './resolve-all.ts';
import type {WantedImage} from './wanted-images.ts';

type Where = Pick<Project, 'name' | 'workingDir' | 'provenance'>;

/**
 * By service its image with a digest, in full and as Compose writes it: `docker.io/library/redis:7@sha256:…`. Ids stay as they
 * are. Throws with every image whose digest nobody knows, each with its place.
 */
export async function imagesWithDigests(
  context: CliContext,
  where: Where,
  images: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const asked = new Map<string, WantedImage>();
  for (const [service, written] of images) {
    if (!isOpen(written)) continue;
    const reference = normaliseReference(written);
    if (!asked.has(reference)) asked.set(reference, {reference, path: `services.${service}.image`});
  }
  const digests =
    asked.size === 0
      ? new Map<string, string>()
      : await withEngine(context, (docker) =>
          resolveAll(context, docker, {project: where, asked: [...asked.values()]}),
        );
  const full = (written: string): string => {
    if (!isOpen(written)) return written.includes('@') ? normaliseReference(written) : written;
    const reference = normaliseReference(written);
    return `${reference}@${digests.get(reference)}`;
  };
  return new Map([...images].map(([service, written]) => [service, full(written)]));
}

/** The stack with a digest behind each image. */
export async function projectWithDigests(context: CliContext, project: Project): Promise<Project> {
  const stated = Object.entries(project.services).flatMap(([name, {image}]) =>
    image === undefined ? [] : [[name, image] as const],
  );
  const images = await imagesWithDigests(context, project, new Map(stated));
  const services = Object.entries(project.services).map(([name, service]) => {
    const image = images.get(name);
    return [name, image === undefined ? service : {...service, image}] as const;
  });
  return {...project, services: Object.fromEntries(services)};
}

/** A stack file of the images alone, to be put over the one that it was made of. */
export function imagesOnly(
  services: Readonly<Record<string, {readonly image?: Json | undefined}>>,
  format: 'yaml' | 'json',
): string {
  const names = Object.keys(services).sort((a, b) => (a < b ? -1 : 1));
  const images = names.map((name) => {
    const image = services[name]?.image;
    return [name, image === undefined ? {} : {image}] as const;
  });
  const value = {services: Object.fromEntries(images)};
  return format === 'json' ? JSON.stringify(value, null, 2) : yamlText(value);
}
