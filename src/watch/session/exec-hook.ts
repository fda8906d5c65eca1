import {hasKind} from '../../base/errors.ts';
import type {Hook} from '../../model/types.ts';
import type {ContainerCalls} from '../../reconcile/engine-client.ts';
import {execHook, type HookResult} from '../../reconcile/exec-hook.ts';

/** Runs a command in a container. Undefined where it does not run, or is gone. */
export async function runHook(
  engine: {getContainer(id: string): Pick<ContainerCalls, 'exec'>},
  container: string,
  hook: Hook,
  signal: AbortSignal,
): Promise<HookResult | undefined> {
  try {
    return await execHook(engine, container, withoutUnset(hook), {signal});
  } catch (error) {
    if (hasKind(error, 'conflict', 'notFound')) return undefined;
    throw error;
  }
}

/** Here a variable without value is as the container has it, as in Compose: it is not stated. */
function withoutUnset({environment, ...hook}: Hook): Hook {
  if (environment === undefined) return hook;
  const stated = Object.entries(environment).filter(([, value]) => value !== null);
  return {...hook, environment: Object.fromEntries(stated)};
}
