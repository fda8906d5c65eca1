import {systemClock} from '../base/clock.ts';
import type {Docker} from '../client/docker.ts';
import type {Project} from '../model/types.ts';
import type {ContainerId} from '../plan/action.ts';
import {hooksOf} from '../plan/hooks.ts';
import {applyHook} from '../reconcile/apply-hook.ts';
import type {CliContext} from './context.ts';

/** A container that was made for one command, and runs. */
export interface OneOff {
  readonly project: Project;
  readonly service: string;
  readonly id: string;
  readonly name: string;
}

/**
 * Runs the `post_start` hooks of its service beside the command, one after the other, as Compose does from 5.1 on. Where the
 * command ends before them, nobody misses what is left of them.
 */
export async function runOneOffHooks(
  {now}: Pick<CliContext, 'now'>,
  docker: Docker,
  {project, service, id, name, signal}: OneOff & {readonly signal: AbortSignal},
): Promise<void> {
  const container = {kind: 'existing', id: id as ContainerId, name, service} as const;
  for (const [index, run] of hooksOf(project, service, 'post_start').entries()) {
    const source = project.provenance.at(`services.${service}.post_start[${index}]`);
    await applyHook(
      {kind: 'runHook', container, hook: 'post_start', number: index + 1, run},
      {
        ...{engine: docker, clock: systemClock(now), signal, id: container.id, isOneOff: true},
        ...{workingDir: project.workingDir, why: {reason: 'after its start', ...(source && {source})}},
      },
    );
  }
}
