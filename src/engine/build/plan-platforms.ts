import type {BuildEvent} from '../../api/types/build.ts';
import {TscomposeError} from '../../base/errors.ts';
import {checkDockerfile} from '../../dockerfile/check.ts';
import {parseDockerfile} from '../../dockerfile/parse.ts';
import {formatPlatform, machinePlatform, type Platform} from '../image/platform.ts';
import {type FoundBase, readBase} from './base-image.ts';
import type {BuildWork} from './context.ts';
import type {LayoutImages} from './layout-contexts.ts';
import type {LocalBuild} from './main-context.ts';
import {StepList} from './plan/draft.ts';
import {type BuildPlan, planBuild} from './plan/plan.ts';
import {platformsOf} from './platforms-of.ts';
import type {Step} from './steps.ts';

export interface PlatformPlan extends BuildPlan {
  readonly platform: Platform;
}

export interface Plans {
  readonly plans: readonly PlatformPlan[];
  /** Of all of them. */
  readonly steps: readonly Step[];
}

/** Plans the Dockerfile for each platform. Throws `invalid` with all that is wrong with it. */
export async function planPlatforms(
  context: BuildWork,
  {
    request,
    layouts,
    signal,
  }: {readonly request: LocalBuild; readonly layouts: LayoutImages; readonly signal: AbortSignal},
  emit: (event: BuildEvent) => void,
): Promise<Plans> {
  const source = request.dockerfile;
  const found = checkDockerfile(source, {buildArguments: request.arguments, ignore: request.ignore});
  for (const warning of found.filter(({severity}) => severity === 'warning')) emit({kind: 'warning', warning});
  refuse(found.filter(({severity}) => severity === 'error'));
  const machine = machinePlatform(context.images.architecture);
  const asked = platformsOf(request);
  const steps = new StepList();
  const bases = new Map<string, Promise<FoundBase>>();
  const read = (reference: string, platform: Platform | undefined): Promise<FoundBase> => {
    const key = `${reference} ${platform === undefined ? '' : formatPlatform(platform)}`;
    const base = bases.get(key) ?? readOne(reference, platform);
    bases.set(key, base);
    return base;
  };
  const readOne = async (reference: string, platform: Platform | undefined): Promise<FoundBase> => {
    const stored = await layouts.forPlatform(reference, platform);
    return await readBase(context, {reference: stored, platform, request, signal, emit});
  };
  const plans: PlatformPlan[] = [];
  for (const wanted of asked.length > 0 ? asked : [undefined]) {
    const platform = wanted ?? machine;
    const plan = await planBuild({
      ...request,
      ...{source, steps, machine, platform, isOneOfSeveral: asked.length > 1, dockerfile: parseDockerfile(source)},
      image: (reference, own) => read(reference, own ?? wanted),
    });
    refuse(plan.errors);
    plans.push({...plan, platform: wanted ?? ownPlatform(plan, machine)});
  }
  return {
    plans,
    steps: steps.finish(
      plans.map(({stages}) => stages),
      plans.some(({isNamed}) => isNamed),
    ),
  };
}

/** Where nobody asked for one, it is that of the image below. */
function ownPlatform({target: {base}}: BuildPlan, machine: Platform): Platform {
  const {os, architecture, variant} = base;
  return architecture === '' ? machine : {os, architecture, ...(variant ? {variant} : {})};
}

function refuse(diagnostics: BuildPlan['errors']): void {
  const [first] = diagnostics;
  if (first === undefined) return;
  throw new TscomposeError(
    'invalid',
    `the Dockerfile has ${diagnostics.length} problem${diagnostics.length > 1 ? 's' : ''}`,
    {diagnostics},
  );
}
