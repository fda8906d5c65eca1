import {isAbsolute, resolve} from 'node:path';
import {hasKind} from '../../base/errors.ts';
import type {FileSource} from '../../base/file-source.ts';
import {readIgnoreFile} from '../../base/ignore-pattern.ts';
import type {Project} from '../../model/types.ts';
import type {Build} from '../../model/types-build.ts';
import type {ServiceRule} from './rules.ts';

/** What the build of a service leaves out of its context: that is never part of the image, so it is not synced either. */
export interface BuildIgnore {
  /** The context; absolute. */
  readonly path: string;
  readonly ignore: readonly string[];
}

/** The rules with what the builds of their services leave out. A context that is no directory here leaves out nothing. */
export async function withBuildIgnores(
  rules: readonly ServiceRule[],
  {services}: Project,
  source: FileSource,
): Promise<readonly ServiceRule[]> {
  return Promise.all(
    rules.map(async (rule) => {
      const build = services[rule.service]?.build;
      const context = build === undefined ? undefined : await readBuildIgnore(build, source);
      return context === undefined ? rule : {...rule, context};
    }),
  );
}

/** A Dockerfile may have a list of its own, which counts in place of the context's. */
async function readBuildIgnore({context, dockerfile}: Build, source: FileSource): Promise<BuildIgnore | undefined> {
  if (!isAbsolute(context)) return undefined;
  const own = dockerfile === undefined ? [] : [resolve(context, `${dockerfile}.dockerignore`)];
  for (const path of [...own, resolve(context, '.dockerignore')]) {
    const text = await readText(path, source);
    if (text !== undefined) return {path: context, ignore: readIgnoreFile(text)};
  }
  return undefined;
}

async function readText(path: string, source: FileSource): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await source.readBytes(path));
  } catch (error) {
    if (hasKind(error, 'notFound')) return undefined;
    throw error;
  }
}
