import {familiarReference, normaliseReference} from '../../engine/image/reference.ts';
import {imageOf} from '../../model/image.ts';
import {serviceBuilds, servicesBelow} from '../../model/lower-build.ts';
import type {Project, Service} from '../../model/types.ts';
import type {Build} from '../../model/types-build.ts';
import {createPlanBuilder, type PlanBuilder, placeOf} from '../../plan/builder.ts';
import type {Lock} from './lock-file.ts';
import {imagePrefix, isOpen} from './open-name.ts';

interface Locking {
  readonly project: Project;
  readonly lock: Lock;
  /** Names in full of what the stack builds. */
  readonly own: ReadonlySet<string>;
  /** Gets those of them that a service asks for, as they are written. */
  readonly unpulled: Set<string>;
  readonly problems: PlanBuilder;
}

export interface LockedProject {
  readonly project: Project;
  /** Images that the stack builds, as its services name them: they are not asked for at a registry. */
  readonly unpulled: ReadonlySet<string>;
}

/**
 * The project with a digest behind each name of an image that it takes from elsewhere, so that no tag decides anything. Of
 * services that are switched off, or that nobody asked for, that counts which others are built upon. Throws `invalid` with
 * every name that is not locked, each with its place.
 */
export function lockedProject(project: Project, lock: Lock): LockedProject {
  const problems = createPlanBuilder(project.name, project.workingDir);
  const unpulled = new Set<string>();
  const locking = {project, lock, own: ownImages(project), unpulled, problems};
  const needed = neededServices(project);
  const services = Object.fromEntries(
    Object.entries(project.services).map(([name, service]) => [name, lockedService(name, service, locking)]),
  );
  const disabledServices = Object.fromEntries(
    Object.entries(project.disabledServices).map(([name, service]) => [
      name,
      needed.has(name) ? lockedService(name, service, locking) : service,
    ]),
  );
  problems.build();
  return {project: {...project, services, disabledServices}, unpulled};
}

/** Also of services that are switched off, or that nobody asked for: no registry is asked for what the stack builds. */
function ownImages(project: Project): ReadonlySet<string> {
  const all = {...project, services: {...project.disabledServices, ...project.services}};
  const images = Object.entries(all.services).flatMap(([name, {build}]) => (build && imageOf(all, name)) ?? []);
  return new Set(images.map(normaliseReference));
}

/** Services that are built, and those that they are built upon. */
function neededServices(project: Project): ReadonlySet<string> {
  return new Set(serviceBuilds(project).flatMap(({services, build}) => [...services, ...servicesBelow(build)]));
}

/** What builds may take for the names of a Dockerfile. */
export function pinsOf({images}: Lock): Readonly<Record<string, string>> {
  return Object.fromEntries([...images].map(([name, digest]) => [name, `${familiarReference(name)}@${digest}`]));
}

function lockedService(name: string, service: Service, locking: Locking): Service {
  const {build, volumes} = service;
  const image = build === undefined ? service.image : undefined;
  return {
    ...service,
    ...(image !== undefined && {image: locked(image, `services.${name}.image`, locking)}),
    ...(build !== undefined && {
      build: lockedBuild(name, build, locking),
      pull_policy: service.pull_policy === 'build' ? 'build' : 'never',
    }),
    ...(volumes !== undefined && {
      volumes: volumes.map((mount) =>
        mount.type === 'image' && mount.source !== undefined
          ? {...mount, source: locked(mount.source, `services.${name}.volumes`, locking)}
          : mount,
      ),
    }),
  };
}

function lockedBuild(name: string, build: Build, locking: Locking): Build {
  const {additional_contexts: contexts} = build;
  if (contexts === undefined) return build;
  const entries = Object.entries(contexts).map(([key, value]) => {
    if (!value.startsWith(imagePrefix)) return [key, value] as const;
    const place = `services.${name}.build.additional_contexts.${key}`;
    return [key, imagePrefix + locked(value.slice(imagePrefix.length), place, locking)] as const;
  });
  return {...build, additional_contexts: Object.fromEntries(entries)};
}

function locked(written: string, path: string, {project, lock, own, unpulled, problems}: Locking): string {
  if (!isOpen(written)) return written;
  const reference = normaliseReference(written);
  if (own.has(reference)) {
    unpulled.add(written);
    return written;
  }
  const digest = lock.images.get(reference);
  // The digest decides; the tag stays for those who read it.
  if (digest !== undefined) return `${written}@${digest}`;
  problems.problem({
    kind: 'invalid',
    ...placeOf(project, path),
    message: `image "${familiarReference(reference)}" is not in ${lock.shown}`,
    hint: 'lock it: tscompose lock',
  });
  return written;
}
