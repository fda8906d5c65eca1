import {isAbsolute, resolve} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import type {FileSource} from '../../base/file-source.ts';
import type {Problems} from '../problems.ts';
import type {SourceFile, Span} from '../source.ts';
import type {Tree} from '../tree.ts';
import type {Environment} from './environment.ts';
import {interpolate} from './interpolate.ts';
import {parseStackFile} from './parse.ts';
import {defaultMaxFileSize, expandHome, isRemote, readSource, remoteHint, shownPath} from './source-file.ts';

/** One YAML document of a stack file. */
export interface Document {
  readonly file: SourceFile;
  readonly tree: Tree;
}

/** What the files of one project, or of one included project, are read with. */
export interface Scope {
  /** Where relative paths start. */
  readonly directory: string;
  readonly environment: Environment;
  /** The includes that led here, the outermost first. */
  readonly inclusions: readonly Inclusion[];
}

/** A file on the way of includes. */
export interface Inclusion {
  readonly path: string;
  readonly shown: string;
}

/** What is common to all files of one load. */
export interface Assembly {
  readonly source: FileSource;
  readonly problems: Problems;
  readonly workingDirectory: string;
  readonly projectName: string;
  readonly maxFileSize?: number | undefined;
  /** False leaves variables as they stand. */
  readonly interpolation: boolean;
  /** False leaves relative paths as they stand. */
  readonly pathResolution: boolean;
  /** Environments of included configs and secrets by `secrets.NAME`: their variables are looked up there. */
  readonly environments: Map<string, Environment>;
  /** How many files `include` and `extends` have read so far. */
  readonly reading: {files: number};
}

/** Far above any real project; includes that include each other twice would double with every level. */
const mostFiles = 1000;
/** All of them together may be as long as this many of the greatest. */
const filesAtMost = 4;

export function withVariables(tree: Tree, scope: Scope, assembly: Assembly): Tree {
  if (!assembly.interpolation) return tree;
  return interpolate(tree, {
    lookup: (name) => (name === 'COMPOSE_PROJECT_NAME' ? assembly.projectName : scope.environment.values.get(name)),
    placeOf: (name) => scope.environment.places.get(name),
    known: () => scope.environment.values.keys(),
    problems: assembly.problems,
  });
}

export function absolutePath(path: string, scope: Scope, assembly: Assembly): string {
  const expanded = expandHome(path, scope.environment.values.get('HOME'));
  return !assembly.pathResolution || isAbsolute(expanded) ? expanded : resolve(scope.directory, expanded);
}

/** The documents of a file; none where it is empty. */
export function parseDocuments(file: SourceFile, problems: Problems): readonly Document[] {
  return parseStackFile(file, problems).map((tree) => ({file, tree}));
}

/** Where a file that another one names comes from, for messages. */
export interface Reference {
  readonly at: Span;
  /** `include`, `services.web.extends`. */
  readonly where: string;
}

/** Reads a file that another one names; a problem at the place where it is named, and nothing, where that fails. */
export async function readReferenced(
  path: string,
  {at, where}: Reference,
  assembly: Assembly,
): Promise<readonly Document[] | undefined> {
  const {source, problems, workingDirectory, maxFileSize = defaultMaxFileSize} = assembly;
  assembly.reading.files += 1;
  if (assembly.reading.files > mostFiles) {
    problems.error(at, {
      code: 'too-large',
      once: 'too many files',
      message: `${where}: more than ${mostFiles} files are read`,
      hint: 'look for files that include each other again and again',
    });
    return undefined;
  }
  const includedAt = where.endsWith('extends') ? undefined : at;
  try {
    const shown = shownPath(path, workingDirectory);
    const file = await readSource(path, {source, shown, what: 'stack file', maxFileSize, includedAt});
    const {length: amount} = file.text;
    const hint = 'include each file once, or allow more with --max-file-size';
    const growth = {what: 'characters in other files', amount, most: filesAtMost * maxFileSize, hint};
    return problems.allows(at, growth) ? parseDocuments(file, problems) : undefined;
  } catch (error) {
    if (!(error instanceof TscomposeError)) throw error;
    problems.error(at, {
      code: 'unreadable-file',
      message: `${where}: ${error.message}`,
      hint: error.hint ?? 'create the file, or correct the path',
    });
    return undefined;
  }
}

/** Stack files of other machines: known, and refused by name. */
export function refuseRemote(path: string, {at, where}: Reference, {problems}: Assembly): boolean {
  if (!isRemote(path)) return false;
  problems.error(at, {
    code: 'unsupported',
    kind: 'unsupported',
    message: `${where}: "${path}" is on another machine, and remote stack files are not supported yet`,
    hint: remoteHint,
  });
  return true;
}
