import type {BuildProvenance} from '../../../api/types/build-output.ts';
import {formatPlatform, type Platform, type SaidPlatform} from '../../image/platform.ts';
import {familiarReference, normaliseReference} from '../../image/reference.ts';
import type {LocalBuild} from '../main-context.ts';
import type {BaseImage} from '../plan/draft.ts';
import type {Step} from '../steps.ts';
import {definitionOf} from './provenance-steps.ts';

/** What is known of a build when it is over. */
export interface BuildFacts {
  readonly request: LocalBuild;
  readonly platform: Platform;
  readonly images: readonly BaseImage[];
  readonly steps: readonly Step[];
  /** Names the build. */
  readonly build: string;
  readonly started: string;
  readonly finished: string;
}

type Members = Readonly<Record<string, unknown>>;

export const predicateTypes = {
  'v0.2': 'https://slsa.dev/provenance/v0.2',
  v1: 'https://slsa.dev/provenance/v1',
} as const satisfies Readonly<Record<BuildProvenance['version'], string>>;

const buildTypes = {
  'v0.2': 'https://mobyproject.org/buildkit@v1',
  v1: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
} as const;

/** In the words of SLSA and BuildKit. `min` tells neither arguments nor labels, which may be meant for nobody else. */
export function provenanceOf(facts: BuildFacts, wanted: BuildProvenance): Members {
  return wanted.version === 'v1' ? versionOne(facts, wanted) : versionZero(facts, wanted);
}

/** What metadata tells to whoever builds: with the arguments, without times. */
export function metadataProvenance(facts: BuildFacts): Members {
  const {builder, buildType, materials, invocation} = versionZero(facts, {mode: 'max', version: 'v0.2'});
  return {builder, buildType, ...(materials.length > 0 ? {materials} : {}), invocation};
}

function versionZero(facts: BuildFacts, {mode, builderId = '', reproducible = false}: BuildProvenance) {
  const {platform, build, started, finished} = facts;
  return {
    builder: {id: builderId},
    buildType: buildTypes['v0.2'],
    materials: facts.images.map(materialOf),
    invocation: {
      configSource: {...addressOf(facts.request), entryPoint: facts.request.dockerfile.shown},
      parameters: parametersOf(facts, mode),
      environment: {platform: formatPlatform(platform)},
    },
    ...(mode === 'max' ? {buildConfig: definitionOf(facts.steps)} : {}),
    metadata: {
      buildInvocationID: build,
      buildStartedOn: started,
      buildFinishedOn: finished,
      completeness: completenessOf(facts, mode),
      reproducible,
      ...(mode === 'max' ? {'https://mobyproject.org/buildkit@v1#metadata': sourceOf(facts)} : {}),
    },
  };
}

function versionOne(facts: BuildFacts, {mode, builderId = '', reproducible = false}: BuildProvenance): Members {
  const {platform, build, started, finished} = facts;
  const {parameters: request, materials: resolvedDependencies} = completenessOf(facts, mode);
  return {
    buildDefinition: {
      buildType: buildTypes.v1,
      externalParameters: {
        configSource: {...addressOf(facts.request), path: facts.request.dockerfile.shown},
        request: parametersOf(facts, mode),
      },
      internalParameters: {
        builderPlatform: formatPlatform(platform),
        ...(mode === 'max' ? {buildConfig: definitionOf(facts.steps)} : {}),
      },
      resolvedDependencies: facts.images.map(materialOf),
    },
    runDetails: {
      builder: {id: builderId},
      metadata: {
        invocationID: build,
        startedOn: started,
        finishedOn: finished,
        buildkit_completeness: {request, resolvedDependencies},
        buildkit_reproducible: reproducible,
        ...(mode === 'max' ? {buildkit_metadata: sourceOf(facts)} : {}),
      },
    },
  };
}

function materialOf({source, ...platform}: BaseImage): Members {
  const {reference = '', digest = ''} = source ?? {};
  return {uri: packageUrl(reference, platform), digest: {sha256: digest.slice('sha256:'.length)}};
}

/** `pkg:docker/library/redis@7?platform=linux%2Famd64` (the purl specification, type docker). */
export function packageUrl(reference: string, platform: SaidPlatform): string {
  const name = familiarReference(normaliseReference(reference));
  const digest = name.indexOf('@');
  const colon = name.lastIndexOf(':');
  const hasTag = digest < 0 && colon > name.lastIndexOf('/');
  const [path, version] =
    digest >= 0 ? [name.slice(0, digest)] : hasTag ? [name.slice(0, colon), name.slice(colon + 1)] : [name];
  const qualifiers = [
    ...(digest >= 0 ? [`digest=${name.slice(digest + 1)}`] : []),
    `platform=${encodeURIComponent(formatPlatform(platform))}`,
  ];
  return `pkg:docker/${path}${version === undefined ? '' : `@${version}`}?${qualifiers.join('&')}`;
}

function parametersOf({request}: BuildFacts, mode: BuildProvenance['mode']): Members {
  const prefixed = (prefix: string, texts: Readonly<Record<string, string>>) =>
    Object.entries(texts).map(([name, value]) => [`${prefix}:${name}`, value] as const);
  const told =
    mode === 'max' ? [...prefixed('build-arg', request.arguments), ...prefixed('label', request.labels)] : [];
  const target = request.target === undefined ? [] : [['target', request.target] as const];
  const keys = mode === 'max';
  return {
    frontend: 'dockerfile.v0',
    args: Object.fromEntries([...told, ...target].sort(([one], [other]) => (one < other ? -1 : 1))),
    ...(keys && request.secrets.length > 0 ? {secrets: request.secrets.map(({id}) => ({id, optional: true}))} : {}),
    ...(keys && request.agents.length > 0 ? {ssh: request.agents.map(({id}) => ({id, optional: true}))} : {}),
    locals: [...localsOf(request), 'dockerfile'].map((name) => ({name})),
  };
}

/** Where the context came from, if it was fetched. */
function addressOf({context, place}: LocalBuild): Members {
  return context === undefined || context === place ? {} : {uri: place};
}

/** Directories that files came from. */
function localsOf({context, contexts, place}: LocalBuild): readonly string[] {
  const named = Object.entries(contexts).filter(([, {kind}]) => kind === 'directory');
  return [...(context === undefined || context !== place ? [] : ['context']), ...named.map(([name]) => name)];
}

function completenessOf({request}: BuildFacts, mode: BuildProvenance['mode']) {
  const isHidden = Object.keys(request.arguments).length + Object.keys(request.labels).length > 0;
  // Whatever directories had in them is not told.
  return {parameters: mode === 'max' || !isHidden, environment: true, materials: localsOf(request).length === 0};
}

/** The Dockerfile, and which of its lines steps stand in. */
function sourceOf({request, steps}: BuildFacts): Members {
  const {text, shown} = request.dockerfile;
  const locations = Object.fromEntries(
    steps.map(({id, place: {line}}) => [`step${id}`, {locations: [{ranges: [{start: {line}, end: {line}}]}]}]),
  );
  return {
    source: {
      locations,
      infos: [{filename: shown, language: 'Dockerfile', data: Buffer.from(text).toString('base64')}],
    },
  };
}
