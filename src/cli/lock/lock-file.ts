import {randomUUID} from 'node:crypto';
import {realpath, rename, rm, writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {hasKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {machineFiles} from '../../base/file-source.ts';
import {familiarReference, normaliseReference} from '../../engine/image/reference.ts';
import {lockSchema} from '../../model/generated/lock-schema.js';
import {createProblems, type Problems} from '../../model/problems.ts';
import {checkSchema} from '../../model/schema-check.ts';
import {parseStackFile} from '../../model/stages/parse.ts';
import {readSource, shownPath} from '../../model/stages/source-file.ts';
import {reportMismatches} from '../../model/stages/validate.ts';
import type {Tree} from '../../model/tree.ts';
import type {Project} from '../../model/types.ts';
import {yamlText} from '../../model/yaml-text.ts';
import type {CliContext} from '../context.ts';

/** Which image each name stands for. */
export interface Lock {
  /** As people know the file. */
  readonly shown: string;
  /** Digests by the name in full: `docker.io/library/redis:7`. */
  readonly images: ReadonlyMap<string, string>;
}

const lockFileName = 'compose.lock.yaml';

export interface LockPlace {
  readonly path: string;
  readonly shown: string;
}

/** Where a project's lock is: beside its stack file, or where a flag says. */
export function lockPlace(
  {cwd}: Pick<CliContext, 'cwd'>,
  {workingDir}: Pick<Project, 'workingDir'>,
  flag: string | undefined,
): LockPlace {
  const path = flag === undefined ? join(workingDir, lockFileName) : resolve(cwd, flag);
  return {path, shown: shownPath(path, cwd)};
}

/** Undefined where there is none. Throws `invalid` with all that is wrong in it, each with its place. */
export async function readLock({path, shown}: LockPlace, files = machineFiles): Promise<Lock | undefined> {
  const request = {source: files, shown, what: 'lock file', hint: 'write it anew: tscompose lock'};
  const source = await readSource(path, request).catch((error: unknown) => {
    if (hasKind(error, 'notFound')) return undefined;
    throw error;
  });
  if (source === undefined) return undefined;
  const problems = createProblems();
  const [tree, second] = parseStackFile(source, problems);
  if (second !== undefined)
    problems.error(second.at, {
      code: 'wrong-type',
      message: 'the lock file has several documents',
      hint: 'write it anew: tscompose lock',
    });
  problems.throwIfAny();
  if (tree === undefined) {
    problems.error(
      {source, start: 0, end: 0},
      {code: 'missing-key', message: 'the lock file is empty', hint: 'write it anew: tscompose lock'},
    );
    problems.throwIfAny();
    return undefined;
  }
  const {mismatches} = checkSchema(lockSchema, tree);
  reportMismatches(mismatches, {tree, problems, whole: 'the lock file'});
  const images = problems.hasErrors ? new Map<string, string>() : imagesOf(tree, problems);
  problems.throwIfAny();
  return {shown, images};
}

/** The tree fits the schema. */
function imagesOf(tree: Tree, problems: Problems): ReadonlyMap<string, string> {
  const images = new Map<string, string>();
  const node = tree.kind === 'mapping' ? tree.entries.get('images')?.value : undefined;
  for (const [name, {key, value}] of node?.kind === 'mapping' ? node.entries : []) {
    try {
      const reference = normaliseReference(name);
      if (images.has(reference)) {
        const message = `images: ${familiarReference(reference)} is there twice`;
        problems.error(key, {code: 'duplicate', message, hint: 'remove one of them'});
      }
      images.set(reference, value.kind === 'scalar' ? String(value.value) : '');
    } catch (error) {
      const {message} = toTscomposeError(error);
      problems.error(key, {code: 'wrong-name', message: `images: ${message}`, hint: 'write NAME:TAG'});
    }
  }
  return images;
}

export interface LockContent {
  readonly images: ReadonlyMap<string, string>;
  /** By service: names in full of what it is built upon. */
  readonly builds: ReadonlyMap<string, readonly string[]>;
}

const head = `# Which image each name stands for, as "tscompose lock" found it.
# With --locked, "tscompose up", "pull", "build" and "plan" take these and no others.
`;

/** Sorted, so that equal content is equal text. */
export function lockText({images, builds}: LockContent): string {
  const sorted = <T>(entries: Iterable<readonly [string, T]>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const digests = sorted([...images].map(([name, digest]) => [familiarReference(name), digest] as const));
  const bases = sorted([...builds].filter(([, names]) => names.length > 0));
  return `${head}${yamlText({
    version: 1,
    images: Object.fromEntries(digests),
    ...(bases.length > 0 && {
      builds: Object.fromEntries(bases.map(([name, names]) => [name, names.map(familiarReference).sort()])),
    }),
  })}`;
}

function explained(error: unknown, shown: string): unknown {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  return isMissing ? new TscomposeError('notFound', `cannot write ${shown}: its directory does not exist`) : error;
}

/** Whole or not at all; a link stays a link. */
export async function writeLock({path, shown}: LockPlace, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const beside = `${target}.${randomUUID()}`;
  try {
    await writeFile(beside, text, {flag: 'wx'});
    await rename(beside, target);
  } catch (error) {
    await rm(beside, {force: true});
    throw toTscomposeError(explained(error, shown), `cannot write ${shown}`);
  }
}
