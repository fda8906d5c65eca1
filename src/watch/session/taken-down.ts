import {composeLabels} from '../../api/labels.ts';
import type {Clock} from '../../base/clock.ts';
import type {Containers} from './containers.ts';
import type {WatchEngine} from './engine.ts';

export interface TakenDownOptions {
  readonly engine: WatchEngine;
  readonly containers: Containers;
  readonly project: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A command that replaces containers may have none for so long. */
const gapMs = 1000;

/**
 * Resolves when the stack has no container any more, after it had some, and no command is at work on it. Never resolves
 * where that does not happen.
 */
export async function whenTakenDown(options: TakenDownOptions): Promise<void> {
  const {engine, containers, project, clock, signal} = options;
  for (;;) {
    await whenLastGoes(containers, signal);
    await clock.sleep(gapMs, signal);
    // Who makes them anew holds the project's lock meanwhile.
    const lock = await engine.lockProject(project, {signal});
    await lock?.[Symbol.asyncDispose]();
    const label = [`${composeLabels.project}=${project}`];
    const left = await engine.listContainers({all: true, filters: {label}});
    if (left.length === 0) return;
  }
}

function whenLastGoes(containers: Containers, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const subscription = containers.subscribe(({kind}) => {
      if (kind !== 'gone' || containers.count() > 0) return;
      // Called while it subscribes only with what is there: never with an end.
      subscription[Symbol.dispose]();
      if (!signal.aborted) resolve();
    });
  });
}
