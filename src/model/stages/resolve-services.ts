import {TscomposeError} from '../../base/errors.ts';
import {resolveArguments} from '../attributes/build.ts';
import {attributeTable} from '../attributes/index.ts';
import type {Span} from '../source.ts';
import type {Entry, Tree} from '../tree.ts';
import {isText, mapEntries, mapping, member, scalar, withMember} from '../tree.ts';
import type {Service} from '../types.ts';
import {parseEnvironmentFile} from './dotenv.ts';
import {type ResolveContext, resolveEnvironment} from './resolve.ts';
import {readSource, shownPath} from './source-file.ts';

export interface ResolvedServices {
  readonly services: Readonly<Record<string, Service>>;
  /** With the resolved values in place, so that it says where each came from. */
  readonly tree: Tree;
}

/**
 * Services with nothing left open: variables without a value, environment files, label files, arguments of builds and the
 * context of a build that names none. `directory` is the project's.
 */
export async function resolveServices(
  tree: Tree,
  services: Readonly<Record<string, Service>>,
  context: ResolveContext & {readonly directory: string},
): Promise<ResolvedServices> {
  const result = new Map<string, Service>();
  let resolvedTree = tree;
  for (const [name, service] of Object.entries(services)) {
    const node = member(member(tree, 'services'), name);
    const resolved = node === undefined ? new Map<string, Tree>() : await resolveMembers(node, service, context);
    result.set(name, withMembers(service, resolved, {context, where: `services.${name}`}));
    if (resolved.size > 0) resolvedTree = withResolved(resolvedTree, name, resolved);
  }
  return {services: Object.fromEntries(result), tree: resolvedTree};
}

/** The members of a service that resolving changes. */
async function resolveMembers(
  node: Tree,
  service: Service,
  context: ResolveContext & {readonly directory: string},
): Promise<ReadonlyMap<string, Tree>> {
  const resolved = new Map<string, Tree>();
  const put = (name: string, value: Tree | undefined): void => {
    if (value !== undefined && value !== memberOf(node, name)) resolved.set(name, value);
  };
  const placeOf = (attribute: string, index: number): Span => {
    const list = memberOf(node, attribute);
    return (list?.kind === 'sequence' ? list.items[index] : undefined)?.at ?? node.at;
  };
  const files = (service.env_file ?? []).map((file, index) => ({file, at: placeOf('env_file', index)}));
  put('environment', await resolveEnvironment(memberOf(node, 'environment'), files, context));
  const labelFiles = (service.label_file ?? []).map((path, index) => ({path, at: placeOf('label_file', index)}));
  if (labelFiles.length > 0) put('labels', await resolveLabels(memberOf(node, 'labels'), labelFiles, context));
  const build = memberOf(node, 'build');
  if (build !== undefined && service.build !== undefined) put('build', resolveBuild(build, context));
  return resolved;
}

function memberOf(node: Tree, name: string): Tree | undefined {
  return node.kind === 'mapping' ? node.entries.get(name)?.value : undefined;
}

/** Later files win over earlier ones, and what the stack file says over all of them. */
async function resolveLabels(
  stated: Tree | undefined,
  files: readonly {readonly path: string; readonly at: Span}[],
  {source, problems, workingDirectory, maxFileSize}: ResolveContext,
): Promise<Tree | undefined> {
  const merged = new Map<string, Entry>();
  for (const {path, at} of files) {
    try {
      const shown = shownPath(path, workingDirectory);
      const file = await readSource(path, {source, shown, what: 'label file', maxFileSize});
      const nothing = (): undefined => undefined;
      for (const [name, entry] of parseEnvironmentFile(file, {lookup: nothing, below: nothing, problems})) {
        merged.set(name, {key: entry.at, value: scalar(entry.value, entry.at)});
      }
    } catch (error) {
      if (!(error instanceof TscomposeError)) throw error;
      problems.error(at, {
        code: 'unreadable-file',
        message: error.message,
        hint: error.hint ?? 'create the file, or remove "label_file"',
      });
    }
  }
  if (stated?.kind === 'mapping') for (const [name, entry] of stated.entries) merged.set(name, entry);
  const at = stated?.at ?? files[0]?.at;
  return at === undefined ? stated : mapping(merged, at);
}

function resolveBuild(build: Tree, {environment, directory}: ResolveContext & {readonly directory: string}): Tree {
  const resolved = withMember(build, 'args', (args) => resolveArguments(args, environment.values));
  if (resolved.kind !== 'mapping') return resolved;
  const context = resolved.entries.get('context');
  if (context !== undefined && isText(context.value) && context.value.value !== '') return resolved;
  const stated = {key: build.at, value: scalar(directory, build.at)};
  return {...resolved, entries: new Map([...resolved.entries, ['context', stated]])};
}

function withMembers(
  service: Service,
  resolved: ReadonlyMap<string, Tree>,
  {context, where}: {readonly context: ResolveContext; readonly where: string},
): Service {
  if (resolved.size === 0) return service;
  const values: Record<string, unknown> = {};
  for (const [name, node] of resolved) {
    const value = attributeTable.get(name)?.read(node, {problems: context.problems, where: `${where}.${name}`});
    if (value !== undefined) values[name] = value;
  }
  return {...service, ...values};
}

function withResolved(tree: Tree, service: string, resolved: ReadonlyMap<string, Tree>): Tree {
  return withMember(tree, 'services', (all) =>
    mapEntries(all, (node, name, at) => {
      if (name !== service || node.kind !== 'mapping') return node;
      const entries = new Map(node.entries);
      for (const [key, value] of resolved) entries.set(key, {key: node.entries.get(key)?.key ?? at, value});
      return {...node, entries};
    }),
  );
}
