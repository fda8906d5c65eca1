import {join} from 'node:path';
import type {EngineEvent, Filters} from '../../api/types/system.ts';
import type {Helper} from '../helper/coprocess.ts';
import type {Layout} from '../layout.ts';
import type {ContainerRecord} from './record.ts';

/** What containers that run a step of a build say their image is: no image can have this name. */
export const stepImage = '(build)';

/** Tells such containers from others; its value is the stage. Who asks for it by a filter is told of them. */
export const stepLabel = 'io.tscompose.build';

/** The name of such a container. `build` is 12 hex digits. */
export function stepName(build: string, step: number): string {
  return `build-${build}-${step}`;
}

/** The name of a container with a shell in what a step that failed left. */
export function shellName(build: string, step: number): string {
  return `${stepName(build, step)}-shell`;
}

/** The build that a container of this name runs a step of. */
export function buildOfStep(name: string): string | undefined {
  return /^build-([0-9a-f]{12})-\d+(?:-shell)?$/.exec(name)?.[1];
}

/** Where builds that are under way have their directories, with a lock beside each. */
export function buildsDirectory({run}: Layout): string {
  return join(run, 'builds');
}

/** Steps are none of their users' containers, as in BuildKit. What a killed build left is: nobody would see that it runs. */
export async function isStepUnderWay(
  {layout, helper}: {readonly layout: Layout; readonly helper: Helper},
  {image, name}: ContainerRecord,
): Promise<boolean> {
  const build = image.id === stepImage ? buildOfStep(name) : undefined;
  if (build === undefined) return false;
  const lock = await helper.tryLock(join(buildsDirectory(layout), `${build}.lock`)).catch(() => null);
  if (lock) await lock[Symbol.asyncDispose]();
  return lock === undefined;
}

/** Whether a list or a stream is to tell of steps. */
export function asksForSteps({label = []}: Filters): boolean {
  return label.some((wanted) => wanted === stepLabel || wanted.startsWith(`${stepLabel}=`));
}

/** Leaves out what happens to containers of steps. */
export async function* withoutSteps(events: AsyncIterable<EngineEvent>): AsyncGenerator<EngineEvent> {
  for await (const event of events)
    if (event.Type !== 'container' || event.Actor.Attributes['image'] !== stepImage) yield event;
}
