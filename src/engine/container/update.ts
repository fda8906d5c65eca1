import {randomUUID} from 'node:crypto';
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {ContainerUpdateBody, ContainerUpdateResult} from '../../api/types/update.ts';
import {TscomposeError} from '../../base/errors.ts';
import {callMonitor, isMonitorGone} from '../helper/control.ts';
import {encodeOperations} from '../helper/operations.ts';
import {syncDirectory, temporaryPrefix, writeRecord} from '../record-store.ts';
import {cgroupPlace} from './cgroup-place.ts';
import {checkRestartPolicy} from './check-body.ts';
import {checkResources} from './check-resources.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {planRestart} from './launch-plan.ts';
import {takeMonitorLock} from './monitor-lock.ts';
import {withContainer} from './operation.ts';
import {planLimitChange} from './plan-limits.ts';
import {type ContainerRecord, readNames} from './record.ts';
import {findContainer} from './reference.ts';
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
  const warnings = checkResources(await context.machine(), body, {update: true});
  return await withContainer(context, reference, async ({id, name}) => {
    const record = await settledRecord(context, id);
    try {
      const hostConfig = updateHostConfig(record.hostConfig, body);
      await carryOut(context, record, {...record, hostConfig});
    } catch (error) {
      throw explain(error, id);
    }
    await publishContainerEvent(context, record, name, 'update');
    return {Warnings: warnings.length === 0 ? null : warnings};
  });
}

/** Of records that wait to be put in place. */
const preparedPrefix = `${temporaryPrefix}update-`;

/**
 * The record as it stays until we change it. A monitor may still be about to carry out the update of somebody who was
 * killed: without what that one prepared it takes everything back.
 */
async function settledRecord({layout}: ContainerContext, id: string): Promise<ContainerRecord> {
  const {directory} = layout.container(id);
  const left = (await readNames(directory)).filter((name) => name.includes(preparedPrefix));
  for (const name of left) await rm(join(directory, name), {force: true});
  return (await findContainer(layout, id)).record;
}

/** Nobody else writes the record meanwhile: the caller holds the operation lock. */
async function carryOut(context: ContainerContext, record: ContainerRecord, updated: ContainerRecord): Promise<void> {
  const {config} = context.layout.container(record.id);
  for (;;) {
    const monitor = await takeMonitorLock(context, record.id);
    if (monitor.kind === 'free') {
      await using lock = monitor.lock;
      void lock;
      await writeRecord(config, updated, {sync: true});
      return;
    }
    try {
      await askMonitor(context, record, updated);
      return;
    } catch (error) {
      // It ended meanwhile: whether or not it put the record in place, it is written again.
      if (!isMonitorGone(error)) throw error;
    }
  }
}

/** The monitor puts the record in place, in one go with the change: this process may be killed at any moment. */
async function askMonitor(context: ContainerContext, record: ContainerRecord, updated: ContainerRecord): Promise<void> {
  const {directory, config, control} = context.layout.container(record.id);
  const {features} = await callMonitor<{readonly features: readonly string[]}>(control, {kind: 'monitorHello'});
  if (!features.includes('update')) {
    throw new TscomposeError('unsupported', 'it was started by an older version, which cannot do that', {
      hint: 'stop it first, and start it afterwards',
    });
  }
  const writes = planLimitChange(await context.machine(), cgroupPlace(context.cgroupParent, record), {
    before: record.hostConfig,
    after: updated.hostConfig,
  });
  const operations = encodeOperations([planRestart(updated.hostConfig), ...writes]);
  const prepared = join(directory, `${preparedPrefix}${randomUUID()}`);
  await writeRecord(prepared, updated, {sync: true});
  try {
    await callMonitor(control, {kind: 'update', operations, source: prepared, target: config});
    await syncDirectory(directory);
  } finally {
    await rm(prepared, {force: true});
  }
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
