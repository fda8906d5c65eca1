import type {BuildBody} from '../../api/types/build.ts';
import type {Diagnostic} from '../../base/diagnostic.ts';
import {TscomposeError} from '../../base/errors.ts';
import {checkDockerfile} from '../../dockerfile/check.ts';
import {parseDockerfile} from '../../dockerfile/parse.ts';
import type {DockerfileSource} from '../../dockerfile/source.ts';
import {machinePlatform, parsePlatform} from '../image/platform.ts';
import {StepList} from './plan/draft.ts';
import {planBuild} from './plan/plan.ts';

export interface BaseImagesRequest extends Pick<BuildBody, 'target' | 'arguments'> {
  readonly source: DockerfileSource;
  /** Names of contexts: none of them is an image's. */
  readonly contexts: readonly string[];
  /** Of the machine, as Node calls it. */
  readonly architecture: string;
  /** That is built for; absent: the machine's. */
  readonly platform: string | undefined;
}

/**
 * Names of the images that a Dockerfile is built upon or copies from, as they are written, arguments put in: those of the
 * stages that lead to the target, and no others. Nothing is asked of anybody, so that what such an image does itself
 * (`ONBUILD`) is not known. Throws `invalid` with the problems of the Dockerfile.
 */
export async function baseImages(request: BaseImagesRequest): Promise<readonly string[]> {
  const {source, contexts, architecture, platform: asked, arguments: given, target} = request;
  refuse(checkDockerfile(source, {buildArguments: given}));
  const named = new Set<string>();
  const machine = machinePlatform(architecture);
  const plan = await planBuild({
    ...{source, dockerfile: parseDockerfile(source), machine, arguments: given},
    ...{steps: new StepList(), isOneOfSeveral: false},
    platform: asked === undefined ? machine : parsePlatform(asked),
    ...(target === undefined ? {} : {target}),
    // What they are does not matter here: each is an empty directory.
    contexts: Object.fromEntries(contexts.map((name) => [name, {kind: 'directory', path: '/'} as const])),
    ...{noCache: false, network: 'default', secrets: []},
    allow: ['network.host', 'security.insecure'],
    image: async (reference) => {
      named.add(reference);
      const source = {reference, id: reference, digest: reference, layers: 0};
      return {source, config: {}, author: undefined, history: [], os: 'linux', architecture, variant: undefined};
    },
  });
  refuse(plan.errors);
  return [...named];
}

function refuse(found: readonly Diagnostic[]): void {
  const diagnostics = found.filter(({severity}) => severity === 'error');
  const [first] = diagnostics;
  if (first !== undefined) throw new TscomposeError('invalid', first.message, {diagnostics});
}
