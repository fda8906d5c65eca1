import {dirname} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import {didYouMean} from '../../base/suggest.ts';
import {type Span, withStep} from '../source.ts';
import type {Entry, MappingNode, Tree} from '../tree.ts';
import {isNull, isText, mapEntries, mapping, scalar, withMember} from '../tree.ts';
import {
  type Assembly,
  absolutePath,
  type Document,
  type Inclusion,
  readReferenced,
  refuseRemote,
  type Scope,
} from './assembly.ts';
import {type Environment, withEnvironmentFiles} from './environment.ts';
import {fingerprint, layer, settle} from './merge.ts';

/** An include is assembled as the whole is. */
type Including = Assembly & {
  readonly assemble: (documents: readonly Document[], scope: Scope, assembly: Assembly) => Promise<Tree>;
};

interface Include {
  readonly paths: readonly TextAt[];
  readonly projectDirectory: TextAt | undefined;
  readonly environmentFiles: readonly TextAt[];
}

interface TextAt {
  readonly text: string;
  readonly at: Span;
}

/** Sections of which an include brings in members. */
const sections = ['services', 'networks', 'volumes', 'configs', 'secrets', 'models'] as const;

/**
 * A document with what it includes below it. Each include is a project of its own: with its own directory, its own
 * `.env` below the environment of the one that includes it, and its own files laid over each other. Two includes may
 * bring in the same resource only if it is the same.
 */
export async function applyIncludes(document: Document, scope: Scope, assembly: Including): Promise<Tree> {
  const {tree} = document;
  const entry = tree.kind === 'mapping' ? tree.entries.get('include') : undefined;
  if (tree.kind !== 'mapping' || entry === undefined) return tree;
  const entries = new Map(tree.entries);
  entries.delete('include');
  const own: MappingNode = {...tree, entries};
  const here: Inclusion = {path: document.file.path, shown: document.file.shown};
  const inner: Scope = {...scope, inclusions: [...scope.inclusions, here]};
  let imported: Tree | undefined;
  for (const include of readIncludes(entry.value, assembly)) {
    const next = await load(include, inner, assembly);
    if (next === undefined) continue;
    if (imported !== undefined) reportConflicts(imported, next, assembly);
    imported = imported === undefined ? next : layer(imported, next);
  }
  return imported === undefined ? own : layer(imported, own);
}

async function load(include: Include, scope: Scope, assembly: Including): Promise<Tree | undefined> {
  const [main] = include.paths;
  if (main === undefined) return undefined;
  const resolving = {...assembly, pathResolution: true};
  const documents: Document[] = [];
  for (const {text, at} of include.paths) {
    const reference = {at, where: 'include'};
    if (refuseRemote(text, reference, assembly)) return undefined;
    const path = absolutePath(text, scope, resolving);
    const start = scope.inclusions.findIndex((inclusion) => inclusion.path === path);
    if (start !== -1) {
      const way = [...scope.inclusions.slice(start), scope.inclusions[start]].map(
        (inclusion) => inclusion?.shown ?? '',
      );
      assembly.problems.error(at, {
        code: 'cycle',
        message: `files include each other in a circle: ${way.join(' → ')}`,
        hint: 'remove one of these includes',
      });
      return undefined;
    }
    const read = await readReferenced(path, reference, assembly);
    if (read === undefined) return undefined;
    documents.push(...read);
  }
  if (documents.length === 0 || assembly.problems.hasErrors) return undefined;
  const directory =
    include.projectDirectory === undefined
      ? dirname(absolutePath(main.text, scope, resolving))
      : absolutePath(include.projectDirectory.text, scope, resolving);
  const environment = await environmentOf(include, {scope, directory, at: main.at}, assembly);
  if (environment === undefined) return undefined;
  const inner: Scope = {...scope, directory, environment};
  const tree = settle(await assembly.assemble(documents, inner, assembly));
  return onlySections(withOwnVariables(tree, environment, assembly));
}

/** The environment of the includer, and below it the files that the include names, or the `.env` of its directory. */
async function environmentOf(
  {environmentFiles}: Include,
  {scope, directory, at}: {readonly scope: Scope; readonly directory: string; readonly at: Span},
  assembly: Assembly,
): Promise<Environment | undefined> {
  const resolving = {...assembly, pathResolution: true};
  const named = environmentFiles
    .filter(({text}) => text !== '/dev/null')
    .map((file) => ({path: absolutePath(file.text, scope, resolving), at: file.at}));
  const usual = absolutePath('.env', {...scope, directory}, resolving);
  const files = environmentFiles.length > 0 ? named : (await assembly.source.isFile(usual)) ? [{path: usual, at}] : [];
  let place = at;
  try {
    for (const file of files) {
      place = file.at;
      if (await assembly.source.isFile(file.path)) continue;
      await assembly.source.readBytes(file.path, 0);
    }
    return await withEnvironmentFiles(
      scope.environment,
      files.map(({path}) => path),
      assembly,
    );
  } catch (error) {
    if (!(error instanceof TscomposeError)) throw error;
    assembly.problems.error(place, {
      code: 'unreadable-file',
      message: `include: ${error.message}`,
      hint: 'create the file, or remove "env_file"',
    });
    return undefined;
  }
}

/** Variables without a value take the include's own; configs and secrets remember where theirs are looked up. */
function withOwnVariables(tree: Tree, environment: Environment, {environments}: Assembly): Tree {
  for (const kind of ['configs', 'secrets'] as const) {
    const section = tree.kind === 'mapping' ? tree.entries.get(kind)?.value : undefined;
    if (section?.kind !== 'mapping') continue;
    for (const name of section.entries.keys()) {
      if (!environments.has(`${kind}.${name}`)) environments.set(`${kind}.${name}`, environment);
    }
  }
  return withMember(tree, 'services', (services) =>
    mapEntries(services, (service) =>
      withMember(service, 'environment', (variables) =>
        mapEntries(variables, (node, name, key) => {
          const value = isNull(node) ? environment.values.get(name) : undefined;
          if (value === undefined) return node;
          const from = environment.places.get(name);
          return scalar(value, withStep(key, {kind: 'variable', use: {name, took: 'value', from}}));
        }),
      ),
    ),
  );
}

function onlySections(tree: Tree): Tree {
  if (tree.kind !== 'mapping') return tree;
  return mapping(
    [...tree.entries].filter(([key]) => (sections as readonly string[]).includes(key)),
    tree.at,
  );
}

function reportConflicts(first: Tree, second: Tree, {problems}: Assembly): void {
  if (first.kind !== 'mapping' || second.kind !== 'mapping') return;
  for (const section of sections) {
    const [a, b] = [first.entries.get(section)?.value, second.entries.get(section)?.value];
    if (a?.kind !== 'mapping' || b?.kind !== 'mapping') continue;
    for (const [name, entry] of b.entries) {
      const earlier: Entry | undefined = a.entries.get(name);
      if (earlier === undefined || fingerprint(earlier.value) === fingerprint(entry.value)) continue;
      problems.error(entry.key, {
        code: 'conflict',
        message: `${section}.${name}: two included files define it differently`,
        hint: 'give one of them another name',
        related: {message: 'defined first', at: earlier.key},
      });
    }
  }
}

function readIncludes(node: Tree, assembly: Assembly): readonly Include[] {
  if (node.kind !== 'sequence') {
    assembly.problems.error(node.at, {
      code: 'wrong-type',
      message: 'include: expected a list of files',
      hint: isText(node) ? `write include: [${node.value}]` : 'write include: [FILE]',
    });
    return [];
  }
  return node.items.flatMap((item, index) => readInclude(item, `include[${index}]`, assembly) ?? []);
}

const members = ['path', 'project_directory', 'env_file'];

function readInclude(node: Tree, where: string, {problems}: Assembly): Include | undefined {
  if (isText(node) && node.value !== '')
    return {paths: [{text: node.value, at: node.at}], projectDirectory: undefined, environmentFiles: []};
  if (node.kind !== 'mapping') {
    problems.error(node.at, {
      code: 'wrong-type',
      message: `${where}: expected a path, or a mapping with path`,
      hint: 'write FILE, or {path: FILE}',
    });
    return undefined;
  }
  for (const [key, {key: at}] of node.entries) {
    if (members.includes(key)) continue;
    problems.error(at, {
      code: 'unknown-key',
      message: `${where}: unknown attribute "${key}"`,
      hint: didYouMean(key, members) ?? `remove it: there are only ${members.join(', ')}`,
    });
  }
  const texts = (key: string): readonly TextAt[] => {
    const value = node.entries.get(key)?.value;
    if (value === undefined || isNull(value)) return [];
    const items = value.kind === 'sequence' ? value.items : [value];
    return items.flatMap((item) => {
      if (isText(item) && item.value !== '') return [{text: item.value, at: item.at}];
      problems.error(item.at, {
        code: 'wrong-type',
        message: `${where}.${key}: expected a path or a list of paths`,
        hint: `write ${key}: PATH`,
      });
      return [];
    });
  };
  const paths = texts('path');
  if (!node.entries.has('path'))
    problems.error(node.at, {code: 'missing-key', message: `${where}: "path" is missing`, hint: 'add path: FILE'});
  return {paths, projectDirectory: texts('project_directory')[0], environmentFiles: texts('env_file')};
}
