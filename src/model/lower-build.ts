import {parseCacheFrom, parseCacheTo} from '../api/build-caches.ts';
import {epochArgument} from '../api/build-epoch.ts';
import {parseProvenance} from '../api/build-provenance.ts';
import {readContextSource, readFetchedSource} from '../api/build-source.ts';
import {composeLabels} from '../api/labels.ts';
import type {BuildBody, BuildContextSource, BuildSecret, FetchedSource} from '../api/types/build.ts';
import {canonicalJson} from '../base/canonical-json.ts';
import {imageOf} from './image.ts';
import {placedError} from './placed-error.ts';
import type {FileObject, Project, Service} from './types.ts';
import type {Build, BuildSecret as StatedSecret} from './types-build.ts';

/** An image that services are built from, once however many of them want it. */
export interface ServiceBuild {
  readonly image: string;
  /** Those that it is built for; the first one says how. */
  readonly services: readonly string[];
  readonly build: Build;
  /** Images of the stack that it is built upon. */
  readonly after: readonly string[];
  /** The context where it is fetched first; else it is a directory. */
  readonly source: FetchedSource | undefined;
  /** An absolute path, or one in a context that is fetched; with `dockerfile_inline` there is none. */
  readonly dockerfile: string | undefined;
}

/** The images that the services (absent: all) are built from, each after those it is built upon. Throws `invalid`. */
export function serviceBuilds(project: Project, names?: readonly string[]): readonly ServiceBuild[] {
  const known = withDisabled(project);
  const builds = new Map<string, ServiceBuild>();
  const waiting = [...(names ?? Object.keys(project.services))].sort();
  // What is added while it is gone through is gone through, too: services that are built for others alone.
  for (const name of waiting) {
    const {build} = known.services[name] ?? {};
    const image = imageOf(known, name);
    if (build === undefined || image === undefined || builds.get(image)?.services.includes(name)) continue;
    const earlier = builds.get(image);
    if (earlier !== undefined) checkSame(project, earlier, name);
    const needed = servicesBelow(build);
    waiting.push(...needed);
    builds.set(image, {
      ...{image, build: earlier?.build ?? build, services: [...(earlier?.services ?? []), name]},
      after: needed.flatMap((service) => (known.services[service]?.build && imageOf(known, service)) ?? []),
      ...placesOf(build),
    });
  }
  return ordered(project, builds);
}

/** Services that are switched off, or that nobody asked for, can still be built upon. */
function withDisabled(project: Project): Project {
  return {...project, services: {...project.disabledServices, ...project.services}};
}

function placesOf({context, dockerfile}: Build): Pick<ServiceBuild, 'source' | 'dockerfile'> {
  const source = readFetchedSource(context);
  if (dockerfile === undefined || source !== undefined) return {source, dockerfile};
  return {source, dockerfile: joined(context, dockerfile)};
}

function joined(context: string, file: string): string {
  return file.startsWith('/') ? file : `${context.replace(/\/$/, '')}/${file}`;
}

/** Two ways to make one image would leave it to chance which one it is. */
function checkSame(project: Project, {image, services, build}: ServiceBuild, name: string): void {
  const other = withDisabled(project).services[name]?.build;
  if (other === undefined || canonicalJson({...build, tags: []}) === canonicalJson({...other, tags: []})) return;
  throw placedError(project, `services.${name}.build`, {
    message: `services "${services[0]}" and "${name}" build image "${image}" in different ways`,
    hint: 'give one of them another "image"',
  });
}

const servicePrefix = 'service:';

/** Names of the services that a build says it is built upon. */
export function servicesBelow(build: Build): readonly string[] {
  return contextsBelow(build).map(({service}) => service);
}

/** The same with the names by which the build has them. */
export function contextsBelow({additional_contexts: contexts = {}}: Pick<Build, 'additional_contexts'>) {
  return Object.entries(contexts).flatMap(([context, value]) =>
    value.startsWith(servicePrefix) ? [{context, service: value.slice(servicePrefix.length)}] : [],
  );
}

function ordered(project: Project, builds: ReadonlyMap<string, ServiceBuild>): readonly ServiceBuild[] {
  const done = new Map<string, ServiceBuild>();
  const visit = (build: ServiceBuild, path: readonly string[]): void => {
    if (done.has(build.image)) return;
    if (path.includes(build.image)) {
      const circle = [...path.slice(path.indexOf(build.image)), build.image];
      throw placedError(project, `services.${build.services[0]}.build.additional_contexts`, {
        message: `images are built upon each other in a circle: ${circle.join(' → ')}`,
        hint: 'build one of them upon an image of its own',
      });
    }
    for (const image of build.after) {
      const needed = builds.get(image);
      if (needed !== undefined) visit(needed, [...path, build.image]);
    }
    done.set(build.image, build);
  };
  for (const build of builds.values()) visit(build, []);
  return [...done.values()];
}

export interface BuildLowering {
  readonly project: Project;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of the Dockerfile, and how people know it; of the ignore file, where there is one. */
  readonly files: Pick<BuildBody, 'dockerfile' | 'ignore'>;
}

/** Where the agent or the key of a build's `ssh` is; empty: nowhere, as no agent runs. */
export function agentSocket(path: string, environment: BuildLowering['environment']): string {
  return path === '' ? (environment['SSH_AUTH_SOCK'] ?? '') : path;
}

/** What the engine is asked for. That agents for keys are there is to be checked before. */
export function lowerBuild(given: ServiceBuild, {environment, files, ...lowering}: BuildLowering): BuildBody {
  const project = withDisabled(lowering.project);
  const {build, image, services} = given;
  const [name = ''] = services;
  const service = project.services[name];
  const {platforms = [], cache_from: from = [], cache_to: to = []} = build;
  const absolute = (path: string) => joined(project.workingDir, path);
  return {
    ...files,
    ...(given.source === undefined ? {context: build.context} : {source: given.source}),
    ...(build.target === undefined ? {} : {target: build.target}),
    arguments: {...epochArgument(environment), ...buildArguments(build)},
    contexts: contextsOf(project, build, absolute),
    labels: {...build.labels, [composeLabels.project]: project.name, [composeLabels.service]: name},
    tags: [image, ...(build.tags ?? [])],
    ...platformsOf(service, platforms),
    ...(build.pull === true ? {pull: true} : {}),
    ...provenanceOf(build.provenance),
    noCache: build.no_cache === true || (build.no_cache_filter ?? []),
    network: networkOf(build.network),
    extraHosts: Object.entries(build.extra_hosts ?? {}).flatMap(([host, addresses]) =>
      addresses.map((address) => `${host}:${address}`),
    ),
    secrets: (build.secrets ?? []).map((secret, index) =>
      secretOf(project, `services.${name}.build.secrets[${index}]`, secret),
    ),
    agents: Object.entries(build.ssh ?? {}).map(([id, path]) => ({
      id,
      socket: agentSocket(path, environment),
    })),
    ...(build.shm_size === undefined ? {} : {shmSize: build.shm_size}),
    ulimits: Object.entries(build.ulimits ?? {}).map(([Name, {soft, hard}]) => ({Name, Soft: soft, Hard: hard})),
    ...(from.length > 0 ? {cacheFrom: from.flatMap((text) => parseCacheFrom(text, absolute))} : {}),
    ...(to.length > 0 ? {cacheTo: to.flatMap((text) => parseCacheTo(text, absolute))} : {}),
    allow: [...(build.entitlements ?? []), ...(build.privileged ? ['security.insecure'] : [])],
  };
}

export function buildArguments({args = {}}: Build): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(args).flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
}

function contextsOf(
  project: Project,
  build: Build,
  absolute: (path: string) => string,
): Readonly<Record<string, BuildContextSource>> {
  return Object.fromEntries(
    Object.entries(build.additional_contexts ?? {}).map(([name, value]): [string, BuildContextSource] => {
      if (value.startsWith(servicePrefix)) {
        const service = value.slice(servicePrefix.length);
        const built = project.services[service]?.build !== undefined;
        return [name, {kind: 'image', reference: imageOf(project, service) ?? '', built}];
      }
      return [name, readContextSource(value, absolute)];
    }),
  );
}

/** Of several platforms all are built; the service's own is one of them. */
function platformsOf(service: Service | undefined, platforms: readonly string[]): Pick<BuildBody, 'platforms'> {
  if (platforms.length > 0) return {platforms};
  return service?.platform === undefined ? {} : {platforms: [service.platform]};
}

function provenanceOf(text: string | undefined): Pick<BuildBody, 'provenance'> {
  const provenance = text === undefined ? undefined : parseProvenance(text);
  return provenance === undefined ? {} : {provenance};
}

function networkOf(network: string | undefined): BuildBody['network'] {
  return network === 'none' || network === 'host' ? network : 'default';
}

/** Compose reads who owns it and forgets it; here that is what a step has that says nothing itself. */
function secretOf(project: Project, path: string, given: StatedSecret): BuildSecret {
  const {source, target, mode} = given;
  const secret: FileObject | undefined = project.secrets[source];
  const stated = {
    id: target ?? source,
    ...(given.uid === undefined ? {} : {uid: ownerOf(project, `${path}.uid`, given.uid)}),
    ...(given.gid === undefined ? {} : {gid: ownerOf(project, `${path}.gid`, given.gid)}),
    ...(mode === undefined ? {} : {mode}),
  };
  if (secret?.file !== undefined) return {...stated, content: {path: secret.file}};
  const text = secret?.content ?? secret?.value ?? '';
  return {...stated, content: {base64: Buffer.from(text).toString('base64')}};
}

function ownerOf(project: Project, path: string, id: string): number {
  if (/^\d+$/.test(id)) return Number(id);
  throw placedError(project, path, {message: `${path}: "${id}" is no number`, hint: 'write the number of the owner'});
}
