import {readOutputFields} from '../../api/build-output.ts';
import {readFetchedSource} from '../../api/build-source.ts';
import type {HandlerInput, Handlers} from '../../api/endpoint.ts';
import type {buildEndpoints} from '../../api/endpoints/build.ts';
import {parseRegistryConfig} from '../../api/registry-auth.ts';
import type {BuildBody, FetchedSource} from '../../api/types/build.ts';
import type {BuildOutput} from '../../api/types/build-output.ts';
import {TscomposeError} from '../../base/errors.ts';
import {redactUrls} from '../../base/redact-url.ts';
import type {Engine} from '../../engine/engine.ts';
import type {BuildkitDoor} from '../buildkit/door.ts';
import {classicProgress} from '../classic-progress.ts';

export function buildHandlers(engine: Engine, version: string): Handlers<typeof buildEndpoints> {
  const {builds} = engine;
  // Node's HTTP/2 takes a good part of a short command's time: only who has clients of BuildKit loads it.
  let opened: Promise<BuildkitDoor> | undefined;
  const door = () => {
    opened ??= import('../buildkit/door.ts').then(({createBuildkitDoor}) => createBuildkitDoor({engine, version}));
    return opened;
  };
  return {
    buildkit: async () => (await door()).grpc(),
    session: async ({headers}) => (await door()).session(headers),
    imageBuild: async ({query, headers, body, signal}) => {
      refuse(query);
      const {dockerfile = 'Dockerfile', q: quiet = false} = query;
      const auths = parseRegistryConfig(headers.registryConfig);
      const asked = {...bodyOf(query), auths};
      const file = dockerfile || 'Dockerfile';
      const source = remoteOf(query.remote);
      const inSession = query.version === '2';
      // Logins and secrets of the session are asked for when they are needed.
      const client = inSession && query.session ? await (await door()).client(query.session, signal) : undefined;
      if (source === undefined) {
        const events = builds.buildArchive({...asked, dockerfile: file}, body, {...(client && {client}), signal});
        return classicProgress(events, {quiet, inSession});
      }
      const fetched = {...asked, source, dockerfile: {inContext: file}};
      const events = client === undefined ? builds.build(fetched, signal) : builds.buildFor(fetched, client, signal);
      return classicProgress(events, {quiet, inSession});
    },
    build: async ({body, signal}) => builds.build(body, signal),
    buildPrune: ({query}) =>
      builds.prune({
        all: query.all ?? false,
        filters: query.filters ?? {},
        reservedSpace: query['reserved-space'] ?? query['keep-storage'],
        maxUsedSpace: query['max-used-space'],
        minFreeSpace: query['min-free-space'],
      }),
    buildMountExport: async ({query, signal}) => ({
      contentType: 'application/x-tar',
      bytes: builds.exportMount(query.id ?? '', signal),
    }),
    buildMountImport: async ({query, body, signal}) => {
      if (!query.id) throw new TscomposeError('invalid', 'parameter "id" is missing: which cache mount is it?');
      await builds.importMount(query.id, body, signal);
    },
  };
}

type Query = HandlerInput<(typeof buildEndpoints)['imageBuild']>['query'];

/** What a build would not do although it was asked to. */
function refuse(query: Query): void {
  const asked: readonly (readonly [boolean, string])[] = [
    [query.squash === true, 'images of one layer ("squash")'],
    [query.remote === 'client-session', 'files of a session ("remote=client-session")'],
    [(query.memory ?? 0) > 0 || (query.memswap ?? 0) > 0, 'limits of memory ("memory", "memswap")'],
    [
      [query.cpushares, query.cpuperiod, query.cpuquota].some((value) => (value ?? 0) > 0) ||
        (query.cpusetcpus ?? '') !== '',
      'limits of processors ("cpu…")',
    ],
  ];
  const found = asked.find(([is]) => is);
  if (found !== undefined) throw new TscomposeError('unsupported', `cannot build: ${found[1]} are not supported`);
}

/** With `remote` the request's body is not read, as with Docker. */
function remoteOf(remote = ''): FetchedSource | undefined {
  if (remote === '') return undefined;
  const source = readFetchedSource(remote);
  if (source !== undefined) return source;
  throw new TscomposeError(
    'invalid',
    `cannot build from "${redactUrls(remote)}": it is no address of a repository or a file`,
  );
}

function bodyOf(query: Query): Omit<BuildBody, 'dockerfile' | 'context'> {
  const {target, platform, networkmode = '', shmsize = 0, cgroupparent = ''} = query;
  return {
    arguments: textsOf('buildargs', query.buildargs),
    labels: textsOf('labels', query.labels),
    tags: query.t ?? [],
    ...(target ? {target} : {}),
    platforms: (platform ?? '').split(',').filter((word) => word !== ''),
    outputs: outputsOf(query.outputs),
    noCache: query.nocache ?? false,
    // Docker takes any value but these for yes.
    ...(['', '0', 'false'].includes(query.pull ?? '') ? {} : {pull: true}),
    ...cachesOf(query.cachefrom),
    network: networkOf(networkmode),
    extraHosts: (query.extrahosts ?? []).flatMap((hosts) => hosts.split(',')).filter((host) => host !== ''),
    ...(shmsize > 0 ? {shmSize: shmsize} : {}),
    ...(cgroupparent === '' ? {} : {cgroupParent: cgroupparent}),
    ...{contexts: {}, secrets: [], agents: [], ulimits: [], allow: []},
  };
}

/** Images with a cache in them. */
function cachesOf(json: string | undefined): Pick<BuildBody, 'cacheFrom'> {
  if (json === undefined || json === '' || json === 'null') return {};
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Told below.
  }
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === 'string'))
    throw new TscomposeError('invalid', 'parameter "cachefrom" is no JSON list of texts');
  return value.length === 0 ? {} : {cacheFrom: value.map((reference) => ({kind: 'registry', reference}))};
}

/** `[{"Type": "image", "Attrs": {"push": "true"}}]`. The answer has no place for files, and the engine's machine is not the caller's. */
function outputsOf(json: string | undefined): readonly BuildOutput[] {
  if (['', '[]', 'null'].includes(json ?? '')) return [];
  return readOutputs(json ?? '').map(({type, attributes}) => {
    const word = [`type=${type}`, ...attributes.map((pair) => pair.join('='))].join(',');
    const output = readOutputFields([['type', type], ...attributes], {word, resolve: (path) => path});
    if (output.kind === 'image') return output;
    throw new TscomposeError('unsupported', `output ${word}: files cannot be written by a request`, {
      hint: 'build an image, and save or copy from it',
    });
  });
}

interface AskedOutput {
  readonly type: string;
  readonly attributes: readonly (readonly [string, string])[];
}

function readOutputs(json: string): readonly AskedOutput[] {
  try {
    const value: unknown = JSON.parse(json);
    if (Array.isArray(value)) {
      return value.map(({Type, Attrs}: {readonly Type?: unknown; readonly Attrs?: object | null}) => ({
        type: String(Type ?? ''),
        attributes: Object.entries(Attrs ?? {}).map(([key, text]) => [key, String(text)] as const),
      }));
    }
  } catch {
    // Told below.
  }
  throw new TscomposeError('invalid', 'parameter "outputs" is no JSON list of outputs');
}

function networkOf(mode: string): BuildBody['network'] {
  if (mode === '' || mode === 'default' || mode === 'bridge') return 'default';
  if (mode === 'none' || mode === 'host') return mode;
  throw new TscomposeError(
    'unsupported',
    `cannot build on network "${mode}": only on the default one, the machine's or none`,
  );
}

/** Values that are null are left to the Dockerfile. */
function textsOf(name: string, json: string | undefined): Readonly<Record<string, string>> {
  if (json === undefined || json === '' || json === 'null') return {};
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return Object.fromEntries(
        Object.entries(value).flatMap(([key, text]) => (text === null ? [] : [[key, String(text)]])),
      );
  } catch {
    // Told below.
  }
  throw new TscomposeError('invalid', `parameter "${name}" is no JSON object of texts`);
}
