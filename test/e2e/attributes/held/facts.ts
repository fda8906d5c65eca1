import {expect} from 'vitest';
import type {ContainerInspect} from '../../../../src/api/types/container.ts';
import {eventually} from '../../../support/host.ts';
import type {RunningStack} from '../stack.ts';

/** An attribute that the built-in engine carries out: what the stack file says, and that the container has it. */
export interface Held {
  /** The service that says it; several attributes share one. */
  readonly service: string;
  readonly says: object;
  readonly has: (stack: RunningStack) => Promise<void>;
}

/** The service that most attributes stand in. */
export const main = 'main';

export function prints(service: string, line: string, output: string | RegExp): Held['has'] {
  return async ({print}) => {
    if (typeof output === 'string') expect(await print(service, line)).toBe(output);
    else expect(await print(service, line)).toMatch(output);
  };
}

/** A file that the service's process writes some time after its start. */
export function written(service: string, path: string, text: RegExp): Held['has'] {
  return ({print}) => eventually(async () => expect(await print(service, `cat ${path}`)).toMatch(text));
}

export function inspected(service: string, has: (container: ContainerInspect) => void): Held['has'] {
  return async ({inspect}) => has(await inspect(`attributes-${service}-1`));
}

/** A file of the container's cgroup: of version 1 where it is there, else of version 2. */
export function limit(service: string, v1: string, v2: string, output: RegExp): Held['has'] {
  return prints(service, `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`, output);
}

export async function containersOf({host}: RunningStack, service: string): Promise<readonly string[]> {
  const {stdout} = await host.tscompose(['ps', '-q', service]);
  return stdout.split('\n').filter(Boolean);
}
