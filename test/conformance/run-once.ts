import type {ContainerCreateBody, HostConfig} from '../../src/api/types/container.ts';
import {textOf} from './output.ts';
import type {Target} from './targets.ts';

export interface RunOnce {
  readonly code: number;
  readonly text: string;
}

/** Runs a line of shell in a container of its own, to its end; both of its streams in the order of what is written. */
export async function runOnce(
  target: Target,
  line: string,
  HostConfig: HostConfig,
  body: Partial<ContainerCreateBody> = {},
): Promise<RunOnce> {
  const container = await target.create({...body, Cmd: ['sh', '-c', `exec 2>&1; ${line}`], HostConfig});
  const next = container.wait({condition: 'next-exit'});
  await container.start();
  const {StatusCode} = await next;
  return {code: StatusCode, text: (await textOf(await container.logs())).trimEnd()};
}

/** What is said of a container that cannot be made, or cannot be started: engines look at some things later than others. */
export async function refusal(
  target: Target,
  HostConfig: HostConfig,
  body: Partial<ContainerCreateBody> = {},
): Promise<string> {
  const container = await target.create({...body, HostConfig}).catch((error: Error) => error);
  if (container instanceof Error) return container.message;
  const started = await container.start().catch((error: Error) => error);
  return started instanceof Error ? started.message : 'it runs';
}
