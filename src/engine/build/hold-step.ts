import type {BuildEvent} from '../../api/types/build.ts';
import {hasKind} from '../../base/errors.ts';
import {shellName} from '../container/build-steps.ts';
import type {ContainerContext} from '../container/context.ts';
import {createContainer} from '../container/create.ts';
import {removeContainer} from '../container/remove.ts';
import {startContainer} from '../container/start.ts';
import {waitForContainer} from '../container/wait.ts';
import type {BuildWork} from './context.ts';
import type {LocalBuild} from './main-context.ts';
import {bodyOf, overSnapshot, type RunMounts} from './run-step.ts';
import {lowersOf, type Snapshot} from './snapshot.ts';
import type {CopyStep, RunStep} from './steps.ts';

export interface HoldOptions {
  readonly request: LocalBuild;
  readonly build: string;
  readonly below: Snapshot;
  readonly mounts: RunMounts;
  /** What the step wrote until it failed. Absent: the shell sees what was there before. */
  readonly upper?: string;
  readonly term: string;
  readonly signal: AbortSignal;
  /** Told once the shell runs, or that there is none. */
  readonly onHeld: (shell: NonNullable<Extract<BuildEvent, {readonly kind: 'held'}>['shell']> | undefined) => void;
}

/**
 * Holds a step that failed: a shell runs upon what it left, with its variables, user, directory, mounts and network, until
 * that shell ends. What is changed there is lost, so that the step's own state can be looked at again and again.
 */
export async function holdStep(work: BuildWork, step: RunStep, options: HoldOptions): Promise<void> {
  const {upper, below, mounts, signal, onHeld} = options;
  const containers = overSnapshot(work, step, {
    mounts,
    lowers: [...(upper === undefined ? [] : [upper]), ...lowersOf(work, below)],
  });
  const name = shellName(options.build, step.id);
  const command = await startShell(containers, {name, step, options});
  if (command === undefined) return onHeld(undefined);
  try {
    signal.throwIfAborted();
    onHeld({container: name, command});
    await waitForContainer(containers, name, 'not-running', signal);
  } finally {
    await removeShell(containers, name);
  }
}

/** A shell for a step that runs nothing itself, as root, who makes it. Undefined: there are no files below it. */
export function shellOver(step: CopyStep, {network}: Pick<LocalBuild, 'network'>): RunStep | undefined {
  const {id, title, stage, place, written, fresh, parent, shell} = step;
  if (shell === undefined) return undefined;
  return {
    ...{id, title, stage, place, written, fresh, parent},
    ...{kind: 'run', foreign: undefined, words: [], scripts: [], passing: [], mounts: []},
    ...{...shell, user: '', network, insecure: false},
  };
}

/** Of a step without any. */
export const noMounts: RunMounts = {mounts: [], files: [], env: [], images: new Map()};

/** The step's own shell first: the one that its user knows. */
function shellsFor({words}: RunStep): readonly string[] {
  const [own] = words;
  const known = ['/bin/bash', '/bin/sh', '/bin/ash', '/usr/bin/bash', '/usr/bin/sh'];
  const isShell = own !== undefined && /(?:^|\/)(?:a|ba|da|k|z)?sh$/.test(own);
  return [...new Set([...(isShell ? [own] : []), ...known])];
}

interface Starting {
  readonly name: string;
  readonly step: RunStep;
  readonly options: HoldOptions;
}

/** Answers the shell that runs; undefined: the files have none that can be started. */
async function startShell(containers: ContainerContext, {name, step, options}: Starting): Promise<string | undefined> {
  const body = bodyOf(step, options);
  for (const shell of shellsFor(step)) {
    options.signal.throwIfAborted();
    await createContainer(
      containers,
      {
        ...body,
        Env: [...body.Env, `TERM=${options.term}`],
        Entrypoint: [shell],
        ...{Tty: true, OpenStdin: true},
      },
      {name},
    );
    try {
      await startContainer(containers, name);
      return shell;
    } catch {
      // Not there, or for another machine: the next one may do.
      await removeShell(containers, name);
    }
  }
  return undefined;
}

async function removeShell(containers: ContainerContext, name: string): Promise<void> {
  await removeContainer(containers, name, {force: true}).catch((error: unknown) => {
    if (!hasKind(error, 'notFound')) throw error;
  });
}
