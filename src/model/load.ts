import {isAbsolute, join, resolve} from 'node:path';
import type {Diagnostic} from '../base/diagnostic.ts';
import {TscomposeError} from '../base/errors.ts';
import type {FileSource} from '../base/file-source.ts';
import {attributeTable} from './attributes/index.ts';
import {createProblems, type Problems} from './problems.ts';
import {provenanceOf} from './provenance.ts';
import type {SourceFile, Span} from './source.ts';
import {checkStack} from './stages/check.ts';
import {checkTogether} from './stages/check-ports.ts';
import {expandFile} from './stages/expand.ts';
import {interpolate} from './stages/interpolate.ts';
import {type Located, type LocateRequest, locateStack} from './stages/locate.ts';
import {mergeTrees, settle} from './stages/merge.ts';
import {projectName} from './stages/name.ts';
import {parseStackFile} from './stages/parse.ts';
import {readStack} from './stages/read.ts';
import {type ResolveContext, resolveEnvironment, resolveFileObject} from './stages/resolve.ts';
import {selectServices, usedResources, withDefaultNetwork} from './stages/select.ts';
import {validate} from './stages/validate.ts';
import {mapping, type Tree, withMember} from './tree.ts';
import type {FileObject, Project, Service} from './types.ts';

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
}

export interface LoadedProject {
  readonly project: Project;
  readonly warnings: readonly Diagnostic[];
  /** The process's environment and, below it, what environment files say: settings (`COMPOSE_…`) may stand there too. */
  readonly environment: ReadonlyMap<string, string>;
}

/**
 * Reads a stack: finds its files, parses, interpolates, expands, merges, validates, reads, checks, selects and resolves
 * it, in this order. Throws `invalid` or `unsupported` with all problems as diagnostics, `notFound` where there is no
 * stack file.
 */
export async function loadProject(request: LoadRequest, source: FileSource): Promise<LoadedProject> {
  const problems = createProblems();
  const located = await locateStack(request, source, problems);
  problems.throwIfAny();
  const documents = located.files.flatMap((file) => parseFile(file, problems));
  problems.throwIfAny();
  const name = projectName({
    given: request.projectName,
    environment: located.environment,
    trees: documents,
    directory: located.directory,
    problems,
  });
  const tree = combine(documents, {located, name, problems});
  validate(tree, problems);
  warnOfVersion(tree, problems);
  const stack = readStack(tree, name, problems);
  checkStack(stack, {tree, problems});
  const selected = selectServices(stack, selectionOf(request, located), {
    problems,
    dependencyPlace: (service, dependency) => keyAt(tree, ['services', service, 'depends_on', dependency]),
  });
  const context: ResolveContext = {
    source,
    problems,
    environment: located.environment,
    workingDirectory: request.workingDirectory,
  };
  const resolved = await resolveServices(tree, selected.services, context);
  const used = usedResources(stack, selected.services, name);
  const resources = request.allResources === true ? {...stack, networks: withDefaultNetwork(stack, name)} : used;
  const required = request.requireSources === true;
  if (required) checkTogether(selected.services, {tree, problems});
  const configs = await resolveFiles('configs', resources.configs, {tree, required, used: used.configs, context});
  const secrets = await resolveFiles('secrets', resources.secrets, {tree, required, used: used.secrets, context});
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
    ...(stack.extensions === undefined ? {} : {extensions: stack.extensions}),
    provenance: provenanceOf(resolved.tree),
  };
  return {project, warnings: problems.warnings, environment: located.environment};
}

function parseFile(file: SourceFile, problems: Problems): readonly Tree[] {
  const trees = parseStackFile(file, problems);
  if (trees.length === 0 && !problems.hasErrors) {
    throw new TscomposeError('invalid', `the stack file "${file.shown}" is empty`, {
      hint: 'write at least one service below "services:"',
    });
  }
  return trees;
}

interface Combination {
  readonly located: Located;
  readonly name: string;
  readonly problems: Problems;
}

/** Each document interpolated and expanded, then all of them merged. */
function combine(documents: readonly Tree[], {located, name, problems}: Combination): Tree {
  const {environment, directory} = located;
  const lookup = (variable: string): string | undefined =>
    variable === 'COMPOSE_PROJECT_NAME' ? name : environment.get(variable);
  const absolute = (path: string): string => absolutePath(path, directory, environment.get('HOME'));
  const interpolated = documents.map((document) => interpolate(document, {lookup, problems}));
  // A text with a variable that could not be put in place is wrong in other ways too: that would only distract.
  problems.throwIfAny();
  const trees = interpolated.map((document) => expandFile(document, {problems, absolute}));
  const [first, ...others] = trees;
  if (first === undefined) throw new TscomposeError('invalid', 'there is no stack file');
  return others.reduce((base, over) => mergeTrees(base, over), settle(first));
}

function absolutePath(path: string, directory: string, home: string | undefined): string {
  if (home !== undefined && (path === '~' || path.startsWith('~/'))) return join(home, path.slice(1));
  return isAbsolute(path) ? path : resolve(directory, path);
}

function selectionOf(request: LoadRequest, {environment}: Located): Parameters<typeof selectServices>[1] {
  const named = (environment.get('COMPOSE_PROFILES') ?? '').split(',').map((profile) => profile.trim());
  const profiles =
    request.profiles !== undefined && request.profiles.length > 0
      ? request.profiles
      : named.filter((profile) => profile !== '');
  return {profiles, services: request.services ?? [], dependencies: request.dependencies ?? true};
}

function warnOfVersion(tree: Tree, problems: Problems): void {
  const at = keyAt(tree, ['version']);
  if (at !== undefined)
    problems.warning(at, {code: 'obsolete', message: '"version" has no meaning any more', hint: 'take the line away'});
}

function nodeAt(tree: Tree, path: readonly string[]): Tree | undefined {
  return path.reduce<Tree | undefined>(
    (node, step) => (node?.kind === 'mapping' ? node.entries.get(step)?.value : undefined),
    tree,
  );
}

function keyAt(tree: Tree, path: readonly string[]): Span | undefined {
  const parent = nodeAt(tree, path.slice(0, -1));
  return parent?.kind === 'mapping' ? parent.entries.get(path.at(-1) ?? '')?.key : undefined;
}

/** Services with their environment resolved, and the tree that says where each variable came from. */
async function resolveServices(
  tree: Tree,
  services: Readonly<Record<string, Service>>,
  context: ResolveContext,
): Promise<{readonly services: Readonly<Record<string, Service>>; readonly tree: Tree}> {
  const result: Record<string, Service> = {};
  let resolvedTree = tree;
  for (const [name, service] of Object.entries(services)) {
    const stated = nodeAt(tree, ['services', name, 'environment']);
    const fileNodes = nodeAt(tree, ['services', name, 'env_file']);
    const files = (service.env_file ?? []).map((file, index) => {
      const node = fileNodes?.kind === 'sequence' ? fileNodes.items[index] : undefined;
      return {file, at: node?.at ?? tree.at};
    });
    const environment = await resolveEnvironment(stated, files, context);
    if (environment === undefined || environment === stated) {
      result[name] = service;
      continue;
    }
    const value = attributeTable
      .get('environment')
      ?.read(environment, {problems: context.problems, where: `services.${name}.environment`});
    result[name] = {...service, environment: value as NonNullable<Service['environment']>};
    resolvedTree = withMember(resolvedTree, 'services', (all) =>
      withMember(all, name, (node, key) =>
        node.kind === 'mapping'
          ? mapping(
              [
                ...node.entries,
                ['environment', {key: node.entries.get('environment')?.key ?? key, value: environment}],
              ],
              node.at,
            )
          : node,
      ),
    );
  }
  return {services: result, tree: resolvedTree};
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
  const result: Record<string, FileObject> = {};
  for (const [name, object] of Object.entries(objects)) {
    const place = {where: `${kind}.${name}`, at: keyAt(tree, [kind, name]), required: required && name in used};
    result[name] = await resolveFileObject(object, place, context);
  }
  return result;
}
