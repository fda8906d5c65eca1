import {toTscomposeError} from '../../base/errors.ts';
import type {Project} from '../../model/types.ts';
import {emptyMemory, type UpOptions} from '../../plan/input.ts';
import {planUp} from '../../plan/up.ts';
import {up} from '../../reconcile/commands.ts';
import type {ConvergeContext} from '../../reconcile/converge.ts';
import {failureInfo} from '../../reconcile/failure.ts';
import {lowerProject} from '../../reconcile/lowering.ts';
import {observe} from '../../reconcile/observe.ts';
import type {WatchCause} from '../../report/watch-event.ts';
import {objections, planSummary} from './harmless.ts';
import {problemLines} from './problem-lines.ts';

/** How a stack is loaded again, and what is done with it. */
export interface StackSource {
  /** As the command line asked for it. Throws with all problems. */
  load(): Promise<Project>;
  /** Absolute paths of all files that were read or looked for so far. */
  inputs(): readonly string[];
  /** For bringing it up, as it was loaded last: what the command line said of it. */
  upOptions(): UpOptions;
  readonly features: ReadonlySet<string>;
  readonly version: string;
  /** What a person types to bring the stack up: `tscompose up -d`. */
  readonly upCommand: string;
  /** Undefined where nobody can be asked; rejects with the signal. */
  readonly ask?: (question: string, signal: AbortSignal) => Promise<boolean>;
  readonly color: boolean;
}

export interface StackChange {
  readonly stack: StackSource;
  readonly before: Project;
  readonly cause: WatchCause;
  readonly converge: ConvergeContext;
  /** Ends a question whose plan is old: something was saved again. */
  readonly newer: AbortSignal;
  /** Services that left the file and whose containers nobody has decided about; kept from one change to the next. */
  readonly undecided: Set<string>;
}

/**
 * Loads the stack anew and brings it up: by itself where that is harmless, else after a yes. Answers the stack that
 * counts from now on; undefined: the old one.
 */
export async function applyStackChange(change: StackChange): Promise<Project | undefined> {
  const {stack, before, cause, converge} = change;
  const {report} = converge;
  let project: Project;
  try {
    project = await stack.load();
  } catch (error) {
    report({kind: 'watchStack', cause, state: 'invalid', lines: problemLines(toTscomposeError(error), stack.color)});
    return undefined;
  }
  if (project.name !== before.name) {
    const lines = [`the project is called "${project.name}" now, and "${before.name}" runs`];
    report({kind: 'watchStack', cause, state: 'held', lines, command: stack.upCommand});
    return undefined;
  }
  try {
    return (await bringUp(change, project)) ? project : undefined;
  } catch (error) {
    const failure = failureInfo({key: 'stack', error: toTscomposeError(error)});
    if (!converge.signal.aborted) report({kind: 'watchStack', cause, state: 'failed', lines: [], failure});
    return undefined;
  }
}

/** False where it was not done. */
async function bringUp(change: StackChange, project: Project): Promise<boolean> {
  const {stack, cause, converge} = change;
  const {report} = converge;
  const lowered = lowerProject(project, stack);
  noteGone(change, project);
  const options: UpOptions = {...stack.upOptions(), removeOrphans: false, ignoreOrphans: true};
  const observed = await observe(converge.engine, project.name, {project, compare: true});
  const plan = (removeOrphans: boolean) =>
    planUp({project, desired: lowered.desired, observed, memory: emptyMemory, options: {...options, removeOrphans}});
  const wanted = plan(false);
  // Containers of services that left the file are an orphan's matter: they stay unless somebody says otherwise.
  const orphans =
    change.undecided.size === 0 ? [] : objections(plan(true)).filter((line) => !objections(wanted).includes(line));
  const against = objections(wanted);
  const apply = async (remove: boolean): Promise<void> => {
    report({kind: 'watchStack', cause, state: 'applying', lines: planSummary(wanted)});
    await up({project, ...lowered, options: {...options, removeOrphans: remove}}, converge);
    report({kind: 'watchStack', cause, state: 'applied', lines: []});
  };
  if (against.length === 0) {
    if (wanted.nodes.length === 0) report({kind: 'watchStack', cause, state: 'unchanged', lines: []});
    else await apply(false);
    if (orphans.length > 0 && (await consent(change, orphans, `${stack.upCommand} --remove-orphans`)))
      await apply(true);
    return true;
  }
  if (!(await consent(change, [...against, ...orphans], stack.upCommand))) return false;
  await apply(orphans.length > 0);
  return true;
}

/** Services that had containers by the file before, and are no longer in it; those that came back are no question. */
function noteGone({before, undecided}: StackChange, now: Project): void {
  const known = {...now.services, ...now.disabledServices};
  for (const service of [...Object.keys(before.services), ...undecided]) {
    if (Object.hasOwn(known, service)) undecided.delete(service);
    else undecided.add(service);
  }
}

async function consent(
  {stack, cause, converge, newer, undecided}: StackChange,
  lines: readonly string[],
  command: string,
): Promise<boolean> {
  if (stack.ask === undefined) {
    converge.report({kind: 'watchStack', cause, state: 'held', lines, command});
    undecided.clear();
    return false;
  }
  converge.report({kind: 'watchStack', cause, state: 'held', lines});
  const signal = AbortSignal.any([newer, converge.signal]);
  const yes = await stack.ask('apply it?', signal).catch((error: unknown) => {
    if (signal.aborted) return false;
    throw error;
  });
  // A question that a newer one takes the place of has had no answer.
  if (!signal.aborted) undecided.clear();
  return yes;
}
