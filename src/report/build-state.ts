import type {BuildEvent, ExplainedStep} from '../api/types/build.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {noLines, type OpenLines, withText} from '../base/last-lines.ts';
import type {BuildBounds} from './event.ts';
import {countTransfer, type TransferredLayers} from './transfer-totals.ts';

/** Everything that can be seen of a build; a pure reduction of what is told of it. */
export interface BuildView {
  /** Empty: it is alone. */
  readonly name: string;
  /** What a plan calls the image; undefined: it is built without one. */
  readonly image: string | undefined;
  readonly phase: 'working' | 'done' | 'failed' | 'canceled';
  /** In the order in which they began. */
  readonly steps: readonly StepView[];
  /** Images that come from a registry, while they come. */
  readonly pulls: Readonly<Record<string, TransferredLayers>>;
  readonly warnings: readonly Diagnostic[];
  /** What came of it, a line each. */
  readonly results: readonly string[];
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}

/** A step, and what it said last. */
export interface StepView {
  readonly id: number;
  readonly title: string;
  readonly phase: 'working' | 'cached' | 'done' | 'failed' | 'canceled';
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly output: OpenLines;
  readonly explained: ExplainedStep | undefined;
}

interface ToldOfBuild {
  readonly build: string;
  readonly image?: string | undefined;
  readonly event: BuildEvent | BuildBounds;
  readonly time: number;
}

/** With one more thing that is told of a build. */
export function reduceBuilds(
  builds: readonly BuildView[],
  {build: name, image, event, time}: ToldOfBuild,
): readonly BuildView[] {
  const index = builds.findIndex((build) => build.name === name);
  const known = builds[index];
  // One that is built once more (a watch) is a new one.
  const build = known === undefined || event.kind === 'began' ? newBuild({name, image}, time) : known;
  const next = reduceBuild(build, event, time);
  return known === undefined ? [...builds, next] : builds.with(index, next);
}

function newBuild(named: Pick<BuildView, 'name' | 'image'>, time: number): BuildView {
  const empty = {steps: [], pulls: {}, warnings: [], results: []};
  return {...named, phase: 'working', ...empty, startedAt: time, endedAt: undefined};
}

function reduceBuild(build: BuildView, event: BuildEvent | BuildBounds, time: number): BuildView {
  switch (event.kind) {
    case 'began':
    case 'pushing':
    case 'metadata':
      return build;
    case 'held':
      return withStep(build, event.step, {phase: 'failed', endedAt: time});
    case 'note':
      return {...build, results: [...build.results, event.text]};
    case 'warning':
      return {...build, warnings: [...build.warnings, event.warning]};
    case 'pull': {
      const {reference, progress} = event;
      const layers = countTransfer(build.pulls[reference] ?? {}, progress);
      return {...build, pulls: {...build.pulls, [reference]: layers}};
    }
    case 'pulled': {
      const {[event.reference]: _, ...pulls} = build.pulls;
      return {...build, pulls};
    }
    case 'step':
      if (event.status === 'start') return {...build, steps: [...build.steps, newStep(event.step, event.title, time)]};
      // One that was held has failed before.
      return withStep(build, event.step, (step) =>
        step.phase === 'failed' ? {} : {phase: event.status, endedAt: time},
      );
    case 'output':
      return withStep(build, event.step, ({output}) => ({output: withText(output, event.text)}));
    case 'explained':
      return withStep(build, event.step, {explained: event.explained});
    case 'built':
      return ended(build, time, [...event.names.map((name) => `naming to ${name}`), `built ${event.image}`]);
    case 'exported':
      return ended(build, time, [`wrote ${event.path}`]);
    case 'ended': {
      // What went on when it ended is told of no more.
      const steps = build.steps.map(
        (step): StepView => (step.phase === 'working' ? {...step, phase: 'canceled', endedAt: time} : step),
      );
      return {...build, phase: event.outcome, steps, endedAt: time, pulls: {}};
    }
  }
}

function ended(build: BuildView, time: number, results: readonly string[]): BuildView {
  return {...build, phase: 'done', endedAt: time, results: [...build.results, ...results]};
}

function newStep(id: number, title: string, time: number): StepView {
  return {id, title, phase: 'working', startedAt: time, endedAt: undefined, output: noLines, explained: undefined};
}

function withStep(
  build: BuildView,
  id: number,
  change: Partial<StepView> | ((step: StepView) => Partial<StepView>),
): BuildView {
  const steps = build.steps.map((step) =>
    step.id === id ? {...step, ...(typeof change === 'function' ? change(step) : change)} : step,
  );
  return {...build, steps};
}
