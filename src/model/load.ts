import type {Diagnostic} from '../base/diagnostic.ts';
import {TscomposeError} from '../base/errors.ts';
import type {FileSource} from '../base/file-source.ts';
import {noteLimits} from './limits.ts';
import {createProblems, type Problems} from './problems.ts';
import {provenanceOf} from './provenance.ts';
import type {SourceFile} from './source.ts';
import {assemble} from './stages/assemble.ts';
import {type Assembly, type Document, parseDocuments} from './stages/assembly.ts';
import {checkStack} from './stages/check.ts';
import {dependencyPlace} from './stages/check-context.ts';
import {checkTogether} from './stages/check-ports.ts';
import type {Environment} from './stages/environment.ts';
import {type Located, type LocateRequest, locateStack} from './stages/locate.ts';
import {settle} from './stages/merge.ts';
import {projectName} from './stages/name.ts';
import {readStack} from './stages/read.ts';
import {type ResolveContext, resolveFileObject} from './stages/resolve.ts';
import {resolveServices} from './stages/resolve-services.ts';
import {readProfiles} from './stages/seccomp-profiles.ts';
import {selectServices, usedResources, withDefaultNetwork} from './stages/select.ts';
import {validate} from './stages/validate.ts';
import {keyAt, type Tree} from './tree.ts';
import type {FileObject, Project} from './types.ts';

export interface LoadRequest extends LocateRequest {
  /** `-p`. */
  readonly projectName?: string | undefined;
  /** `--profile`; `COMPOSE_PROFILES` counts where none is given. */
  readonly profiles?: readonly string[] | undefined;
  /** Services to take, with what they depend on; none: all that are active. */
  readonly services?: readonly string[] | undefined;
  /** False leaves out what the named services depend on. */
  readonly dependencies?: boolean | undefined;
  /** Keep networks, volumes, configs and secrets that no taken service uses. */
  readonly allResources?: boolean | undefined;
  /** True where containers are to be made: sources of configs and secrets must be there, ports must not collide. */
  readonly requireSources?: boolean | undefined;
  /** What stands above all stack files: what flags add to it. */
  readonly overlay?: SourceFile | undefined;
  /** What is left out, for looking at a stack: everything is done where this is absent. */
  readonly skip?: Skipped | undefined;
}

export interface Skipped {
  /** Variables stay as they stand. */
  readonly interpolation?: boolean;
  /** Relative paths stay as they stand. */
  readonly pathResolution?: boolean;
  /** Variables without a value stay open, environment files are not read. */
  readonly environmentResolution?: boolean;
  /** Names that lead nowhere, cycles and contradictions are not looked for. */
  readonly consistency?: boolean;
  /** Names, the default network and implicit dependencies are not filled in. */
  readonly normalization?: boolean;
}

export interface LoadedProject {
  readonly project: Project;
  readonly warnings: readonly Diagnostic[];
  /** The process's environment and, below it, what environment files say: settings (`COMPOSE_…`) may stand there too. */
  readonly environment: ReadonlyMap<string, string>;
  /** What the files say together, in long form, each value with its place. */
  readonly tree: Tree;
}

/** The files of a stack as one tree, before anything in it is looked at. */
export interface LoadedTree {
  readonly tree: Tree;
  readonly name: string;
  readonly located: Located;
  readonly documents: readonly Document[];
  /** Environments of included configs and secrets by `secrets.NAME`. */
  readonly environments: ReadonlyMap<string, Environment>;
}

/**
 * Reads a stack: finds its files, parses, interpolates, includes, extends, merges, validates, reads, checks, selects and
 * resolves it, in this order. Throws `invalid` or `unsupported` with all problems as diagnostics, `notFound` where there
 * is no stack file.
 */
export async function loadProject(request: LoadRequest, source: FileSource): Promise<LoadedProject> {
  const problems = createProblems();
  const loaded = await loadTree(request, source, problems);
  return readProject(loaded, {request, source, problems});
}

/** The first half of loading: everything that makes one tree of many files. */
export async function loadTree(request: LoadRequest, source: FileSource, problems: Problems): Promise<LoadedTree> {
  const located = await locateStack(request, source, problems);
  problems.throwIfAny();
  const overlay = request.overlay === undefined ? [] : [request.overlay];
  const documents = [...located.files, ...overlay].flatMap((file) => parseDocuments(file, problems));
  problems.throwIfAny();
  if (documents.length === 0) throw emptyStack(located);
  const {environment, directory} = located;
  const name = projectName({
    given: request.projectName,
    environment: environment.values,
    trees: documents.map(({tree}) => tree),
    directory,
    problems,
  });
  const assembly: Assembly = {
    source,
    problems,
    workingDirectory: request.workingDirectory,
    projectName: name,
    maxFileSize: request.maxFileSize,
    interpolation: request.skip?.interpolation !== true,
    pathResolution: request.skip?.pathResolution !== true,
    environments: new Map(),
    reading: {files: 0},
  };
  const tree = settle(await assemble(documents, {directory, environment, inclusions: []}, assembly));
  return {tree, name, located, documents, environments: assembly.environments};
}

/** One empty file among others says nothing; where there is nothing else, that is no stack. */
function emptyStack({files}: Located): TscomposeError {
  const names = files.map(({shown}) => `"${shown}"`).join(', ');
  const [what, is] = files.length === 1 ? ['the stack file', 'is'] : ['the stack files', 'are'];
  return new TscomposeError('invalid', `${what} ${names} ${is} empty`, {
    hint: 'write at least one service below "services:"',
  });
}

interface Loading {
  readonly request: LoadRequest;
  readonly source: FileSource;
  readonly problems: Problems;
}

/** The second half: the project that a tree describes. */
export async function readProject(
  {tree, name, located, environments}: LoadedTree,
  {request, source, problems}: Loading,
): Promise<LoadedProject> {
  const {skip = {}} = request;
  const nested = validate(tree, problems);
  warnOfVersion(tree, problems);
  const stack = readStack(tree, name, problems);
  if (skip.consistency !== true) checkStack(stack, {tree, problems});
  const selected = selectServices(stack, selectionOf(request, located), {
    problems,
    dependencyPlace: (name, dependency) =>
      dependencyPlace({tree, problems}, {name, service: stack.services[name] ?? {}, dependency}),
  });
  const context: ResolveContext = {
    source,
    problems,
    environment: located.environment,
    environments,
    workingDirectory: request.workingDirectory,
    maxFileSize: request.maxFileSize,
  };
  const resolved =
    skip.environmentResolution === true
      ? {services: selected.services, tree}
      : await resolveServices(tree, selected.services, {...context, directory: located.directory});
  const used = usedResources(stack, selected.services, name);
  const resources = request.allResources === true ? {...stack, networks: withDefaultNetwork(stack, name)} : used;
  const required = request.requireSources === true;
  if (required) checkTogether(selected.services, {tree, problems});
  const configs = await resolveFiles('configs', resources.configs, {tree, required, used: used.configs, context});
  const secrets = await resolveFiles('secrets', resources.secrets, {tree, required, used: used.secrets, context});
  const place = {tree, required, directory: located.directory, context};
  const seccompProfiles = await readProfiles(resolved.services, place);
  problems.throwIfAny();
  const project: Project = {
    name,
    workingDir: located.directory,
    files: located.files.map(({path}) => path),
    environmentFiles: located.environmentFiles,
    services: resolved.services,
    disabledServices: selected.disabled,
    networks: resources.networks,
    volumes: resources.volumes,
    configs,
    secrets,
    ...(Object.keys(seccompProfiles).length === 0 ? {} : {seccompProfiles}),
    ...(Object.keys(resources.models).length === 0 ? {} : {models: resources.models}),
    ...(stack.extensions === undefined ? {} : {extensions: stack.extensions}),
    ...(nested.length === 0 ? {} : {nestedExtensions: nested}),
    provenance: provenanceOf(resolved.tree),
  };
  const warnings = [...problems.warnings, ...noteLimits(project)];
  return {project, warnings, environment: located.environment.values, tree: resolved.tree};
}

function selectionOf(request: LoadRequest, {environment}: Located): Parameters<typeof selectServices>[1] {
  const named = (environment.values.get('COMPOSE_PROFILES') ?? '').split(',').map((profile) => profile.trim());
  const profiles =
    request.profiles !== undefined && request.profiles.length > 0
      ? request.profiles
      : named.filter((profile) => profile !== '');
  return {profiles, services: request.services ?? [], dependencies: request.dependencies ?? true};
}

function warnOfVersion(tree: Tree, problems: Problems): void {
  const at = keyAt(tree, ['version']);
  if (at !== undefined)
    problems.warning(at, {code: 'obsolete', message: '"version" has no effect any more', hint: 'remove the line'});
}

interface FileResolution {
  readonly tree: Tree;
  readonly required: boolean;
  readonly used: Readonly<Record<string, FileObject>>;
  readonly context: ResolveContext;
}

async function resolveFiles(
  kind: 'configs' | 'secrets',
  objects: Readonly<Record<string, FileObject>>,
  {tree, required, used, context}: FileResolution,
): Promise<Readonly<Record<string, FileObject>>> {
  const result = new Map<string, FileObject>();
  for (const [name, object] of Object.entries(objects)) {
    const place = {
      where: `${kind}.${name}`,
      at: keyAt(tree, [kind, name]),
      required: required && Object.hasOwn(used, name),
    };
    result.set(name, await resolveFileObject(object, place, context));
  }
  return Object.fromEntries(result);
}
