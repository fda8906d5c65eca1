import {isAbsolute, resolve} from 'node:path';
import type {Diagnostic} from '../base/diagnostic.ts';
import {TscomposeError} from '../base/errors.ts';
import type {FileSource} from '../base/file-source.ts';
import {didYouMean} from '../base/suggest.ts';
import {checkDockerfile} from '../dockerfile/check.ts';
import {parseDockerfile} from '../dockerfile/parse.ts';
import type {DockerfileSource} from '../dockerfile/source.ts';
import {groupStages} from '../dockerfile/stages.ts';
import type {Problems} from './problems.ts';
import type {Span} from './source.ts';
import {readSource, shownPath} from './stages/source-file.ts';
import {member, nodeAt, type Tree} from './tree.ts';
import type {Project} from './types.ts';
import type {Build} from './types-build.ts';

interface Surroundings {
  readonly tree: Tree;
  readonly source: FileSource;
  readonly workingDirectory: string;
  readonly problems: Problems;
}

/** What is wrong with the Dockerfiles that services are built from. Those of contexts that are no directory here are left out. */
export async function lintDockerfiles(project: Project, surroundings: Surroundings): Promise<readonly Diagnostic[]> {
  const found: Diagnostic[] = [];
  const seen = new Set<string>();
  for (const [name, {build}] of Object.entries({...project.disabledServices, ...project.services})) {
    if (build === undefined || !isAbsolute(build.context)) continue;
    const file = await readDockerfile(name, build, surroundings);
    if (file === undefined) continue;
    checkTarget(name, build, file, surroundings);
    // Services that share one are told of it once.
    const key = JSON.stringify([file, build.args]);
    if (!seen.has(key)) found.push(...checkDockerfile(file, {buildArguments: argumentsOf(build)}));
    seen.add(key);
  }
  return unique(found);
}

function argumentsOf({args = {}}: Build): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, value ?? undefined]));
}

/** One Dockerfile with other arguments has most of its problems again. */
function unique(found: readonly Diagnostic[]): readonly Diagnostic[] {
  const byPlace = new Map(found.map((one) => [JSON.stringify([one.file, one.line, one.column, one.code]), one]));
  return [...byPlace.values()];
}

async function readDockerfile(
  name: string,
  {context, dockerfile = 'Dockerfile', dockerfile_inline: inline}: Build,
  {tree, source, workingDirectory, problems}: Surroundings,
): Promise<DockerfileSource | undefined> {
  if (inline !== undefined) return {text: inline, shown: `services.${name}.build.dockerfile_inline`};
  const path = resolve(context, dockerfile);
  try {
    return await readSource(path, {source, shown: shownPath(path, workingDirectory), what: 'Dockerfile'});
  } catch (error) {
    if (!(error instanceof TscomposeError)) throw error;
    problems.warning(placeOf(tree, name, 'dockerfile'), {
      code: 'no-dockerfile',
      message: `services.${name}.build: ${error.message}`,
      hint: 'make it, or say with build.dockerfile where it is',
    });
    return undefined;
  }
}

function checkTarget(name: string, {target}: Build, file: DockerfileSource, {tree, problems}: Surroundings): void {
  if (target === undefined) return;
  const {stages} = groupStages(parseDockerfile(file).instructions);
  const names = stages.flatMap((stage) => stage.name ?? []);
  if (names.includes(target.toLowerCase()) || (/^\d+$/.test(target) && Number(target) < stages.length)) return;
  problems.warning(placeOf(tree, name, 'target'), {
    code: 'unknown-stage',
    message: `services.${name}.build.target: ${file.shown} has no stage "${target}"`,
    hint: didYouMean(target, names) ?? (names.length === 0 ? 'it names no stages' : `stages are ${names.join(', ')}`),
  });
}

/** Where an attribute of `build` stands, or else `build` itself. */
function placeOf(tree: Tree, service: string, attribute: string): Span | undefined {
  const build = nodeAt(tree, ['services', service, 'build']);
  return (build === undefined ? undefined : (member(build, attribute) ?? build))?.at;
}
