import {composeLabels} from '../api/labels.ts';
import type {Json} from '../base/canonical-json.ts';
import {imageOf} from './image.ts';
import {type ServiceBuild, serviceBuilds} from './lower-build.ts';
import type {Project} from './types.ts';
import type {Build} from './types-build.ts';

/**
 * The builds of a stack as a file for `docker buildx bake`, in the form in which Docker Compose prints it: a target for each
 * image, called after the first service that it is built for.
 */
export function bakeFile(project: Project, {push}: {readonly push: boolean}): Readonly<Record<string, Json>> {
  const builds = serviceBuilds(project);
  const targets = builds.map((build): [string, Json] => [targetOf(build), bakeTarget(project, build, push)]);
  return {
    group: {default: {targets: targets.map(([name]) => name)}},
    target: Object.fromEntries([...targets].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function targetOf({services: [name = '']}: ServiceBuild): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, '_');
}

/** Without what says nothing. */
function bakeTarget(project: Project, given: ServiceBuild, push: boolean): Json {
  const {build, dockerfile, services} = given;
  const target: Readonly<Record<string, Json | undefined>> = {
    context: build.context,
    contexts: contextsOf(project, build),
    dockerfile,
    'dockerfile-inline': build.dockerfile_inline,
    args: pairs(build.args),
    labels: pairs({...build.labels, [composeLabels.project]: project.name, [composeLabels.service]: services[0] ?? ''}),
    tags: [...(build.tags ?? []), given.image],
    'cache-from': build.cache_from,
    'cache-to': build.cache_to,
    target: build.target,
    secret: (build.secrets ?? []).map(({source, target: id = source}) => secretText(id, project.secrets[source])),
    ssh: Object.entries(build.ssh ?? {}).map(([id, path]) => `${id}=${path}`),
    platforms: platformsOf(project, given),
    pull: build.pull || undefined,
    'no-cache': build.no_cache || undefined,
    'no-cache-filter': build.no_cache_filter,
    network: build.network,
    'shm-size': build.shm_size === undefined ? undefined : String(build.shm_size),
    ulimits: Object.entries(build.ulimits ?? {}).map(([name, {soft, hard}]) =>
      soft === hard ? `${name}=${soft}` : `${name}=${soft}:${hard}`,
    ),
    entitlements: [...(build.entitlements ?? []), ...(build.privileged ? ['security.insecure'] : [])],
    'extra-hosts': pairs(
      Object.fromEntries(
        Object.entries(build.extra_hosts ?? {}).map(([host, addresses]) => [host, addresses.join(',')]),
      ),
    ),
    output: [outputText(project, given, push)],
    attest: attestations(build),
  };
  return Object.fromEntries(Object.entries(target).filter((entry): entry is [string, Json] => saysSomething(entry[1])));
}

function saysSomething(value: Json | undefined): boolean {
  if (value === undefined || value === '') return false;
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}

function contextsOf(project: Project, {additional_contexts: contexts = {}}: Build): Record<string, string> {
  const builds = serviceBuilds(project);
  return Object.fromEntries(
    Object.entries(contexts).map(([name, value]) => {
      const service = /^service:(.*)/.exec(value)?.[1];
      if (service === undefined) return [name, value];
      const image = imageOf({...project, services: {...project.disabledServices, ...project.services}}, service);
      const below = builds.find((build) => build.image === image);
      return [name, below === undefined ? `docker-image://${image}` : `target:${targetOf(below)}`];
    }),
  );
}

function pairs(values: Readonly<Record<string, string | null>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
}

/** What a variable holds is not written down: bake looks for itself. */
function secretText(id: string, secret: Project['secrets'][string] | undefined): string {
  if (secret?.file !== undefined) return `id=${id},type=file,src=${secret.file}`;
  return `id=${id},type=env,env=${secret?.environment ?? id}`;
}

function outputText(project: Project, {services, build}: ServiceBuild, push: boolean): string {
  const isNamed = services.some((name) => project.services[name]?.image !== undefined);
  if ((build.platforms ?? []).length > 1) return `type=image,push=${push && isNamed}`;
  return push && isNamed ? 'type=registry' : 'type=docker';
}

function platformsOf(project: Project, {services: [name = ''], build}: ServiceBuild): readonly string[] {
  const own = project.services[name]?.platform;
  return build.platforms ?? (own === undefined ? [] : [own]);
}

function attestations({provenance, sbom}: Build): readonly string[] {
  const one = (type: string, value: string | undefined) => {
    if (value === undefined || value === '') return [];
    if (value === 'true') return [`type=${type}`];
    return value === 'false' ? [`type=${type},disabled=true`] : [`type=${type},${value}`];
  };
  return [...one('provenance', provenance), ...one('sbom', sbom)];
}
