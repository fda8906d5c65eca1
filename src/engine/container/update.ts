import type {ContainerUpdateBody, ContainerUpdateResult} from '../../api/types/update.ts';
import {TscomposeError} from '../../base/errors.ts';
import {isMonitorGone} from '../helper/control.ts';
import {cgroupPlace} from './cgroup-place.ts';
import {checkRestartPolicy} from './check-body.ts';
import {checkResources} from './check-resources.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {machineOf} from './known-cgroups.ts';
import {withContainer} from './operation.ts';
import {planLimitChange} from './plan-limits.ts';
import {replaceRecord, settledRecord} from './replace-record.ts';
import {observe} from './state.ts';
import {refuseOtherUpdates, updateHostConfig} from './update-host-config.ts';

/**
 * Changes limits and restart policy, of a running container at once: all of it or nothing (decision 18). Throws `conflict`
 * for what contradicts what the container has, `invalid`, or `unsupported` for what only a new container can have.
 */
export async function updateContainer(
  context: ContainerContext,
  reference: string,
  body: ContainerUpdateBody,
): Promise<ContainerUpdateResult> {
  refuseOtherUpdates(body);
  checkRestartPolicy(body.RestartPolicy);
  return await withContainer(context, reference, async ({id, name}) => {
    const record = await settledRecord(context, id);
    const isLive = (await observe(context, id)).kind === 'live';
    const machine = isLive ? await machineOf(context, record) : await context.machine();
    const warnings = checkResources(machine, body, {update: true});
    try {
      const hostConfig = updateHostConfig(record.hostConfig, body);
      await replaceRecord(context, {updated: {...record, hostConfig}, feature: 'update'}, (ask) =>
        ask(
          planLimitChange(machine, cgroupPlace(context.cgroupParent, record), {
            before: record.hostConfig,
            after: hostConfig,
          }),
        ),
      );
    } catch (error) {
      throw explain(error, id);
    }
    await publishContainerEvent(context, record, name, 'update');
    return {Warnings: warnings.length === 0 ? null : warnings};
  });
}

function explain(error: unknown, id: string): unknown {
  if (!(error instanceof TscomposeError) || isMonitorGone(error)) return error;
  const {hint, cause} = error;
  // It is there: what is not is a file of the kernel.
  const kind = error.kind === 'notFound' ? 'unsupported' : error.kind;
  return new TscomposeError(kind, `Cannot update container ${id}: ${error.message}`, {
    ...(hint === undefined ? {} : {hint}),
    cause,
  });
}
