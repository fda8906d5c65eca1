import {familiarReference, normaliseReference} from '../../engine/image/reference.ts';
import {imageOf} from '../../model/image.ts';
import {serviceBuilds} from '../../model/lower-build.ts';
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
  readonly problems: PlanBuilder;
}

/**
 * The project with a digest behind each name of an image that it takes from elsewhere, so that no tag decides anything. What
 * it builds is not asked for at a registry. Throws `invalid` with every name that is not locked, each with its place.
 */
export function lockedProject(project: Project, lock: Lock): Project {
  const problems = createPlanBuilder(project.name, project.workingDir);
  const own = new Set(serviceBuilds(project).map(({image}) => normaliseReference(image)));
  const locking = {project, lock, own, problems};
  const services = Object.fromEntries(
    Object.entries(project.services).map(([name, service]) => [name, lockedService(name, service, locking)]),
  );
  const disabledServices = Object.fromEntries(
    Object.entries(project.disabledServices).map(([name, service]) => {
      const {build} = service;
      return [name, build === undefined ? service : {...service, build: lockedBuild(name, build, locking)}];
    }),
  );
  problems.build();
  return {...project, services, disabledServices};
}

/** What builds may take for the names of a Dockerfile. */
export function pinsOf({images}: Lock): Readonly<Record<string, string>> {
  return Object.fromEntries([...images].map(([name, digest]) => [name, `${familiarReference(name)}@${digest}`]));
}

function lockedService(name: string, service: Service, locking: Locking): Service {
  const {build, volumes} = service;
  const image = build === undefined ? imageOf(locking.project, name) : undefined;
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

function locked(written: string, path: string, {project, lock, own, problems}: Locking): string {
  if (!isOpen(written)) return written;
  const reference = normaliseReference(written);
  if (own.has(reference)) return written;
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
