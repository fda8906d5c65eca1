import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';
import {rm} from '../at-once.ts';
import {callMonitor, isMonitorGone} from '../helper/control.ts';
import {encodeOperations, type MonitorOperation, type NetworkOperation} from '../helper/operations.ts';
import {syncDirectory, temporaryPrefix, writeRecord} from '../record-store.ts';
import type {ContainerContext} from './context.ts';
import {planRestart} from './launch-plan.ts';
import {takeMonitorLock} from './monitor-lock.ts';
import {type ContainerRecord, readNames} from './record.ts';
import {findContainer} from './reference.ts';

/** Of records that wait to be put in place. */
const preparedPrefix = `${temporaryPrefix}update-`;

/**
 * The record as it stays until we change it. A monitor may still be about to carry out the update of somebody who was
 * killed: without what that one prepared it takes everything back.
 */
export async function settledRecord({layout}: ContainerContext, id: string): Promise<ContainerRecord> {
  const {directory} = layout.container(id);
  const left = (await readNames(directory)).filter((name) => name.includes(preparedPrefix));
  for (const name of left) await rm(join(directory, name), {force: true});
  return (await findContainer(layout, id)).record;
}

/** Sends the monitor what it is to do; it puts the record in place, in one go with that. */
export type AskMonitor = (operations: readonly (MonitorOperation | NetworkOperation)[]) => Promise<void>;

/**
 * Puts a record in place of another one. Of a running container `live` is called, which says by `ask` what else changes: all of
 * it or nothing, as this process may be killed at any moment (decision 18). The caller holds the operation lock, so that
 * nobody else writes the record meanwhile. `feature`: what the monitor has to know.
 */
export async function replaceRecord(
  context: ContainerContext,
  {updated, feature}: {readonly updated: ContainerRecord; readonly feature: string},
  live: (ask: AskMonitor) => Promise<void>,
): Promise<void> {
  const {config} = context.layout.container(updated.id);
  for (;;) {
    const monitor = await takeMonitorLock(context, updated.id);
    if (monitor.kind === 'free') {
      await using lock = monitor.lock;
      void lock;
      await writeRecord(config, updated, {sync: true});
      return;
    }
    try {
      await checkFeature(context, updated.id, feature);
      await live((operations) => askMonitor(context, updated, operations));
      return;
    } catch (error) {
      // It ended meanwhile: whether or not it put the record in place, it is written again.
      if (!isMonitorGone(error)) throw error;
    }
  }
}

async function checkFeature({layout}: ContainerContext, id: string, feature: string): Promise<void> {
  const {control} = layout.container(id);
  const {features} = await callMonitor<{readonly features: readonly string[]}>(control, {kind: 'monitorHello'});
  if (features.includes(feature)) return;
  throw new TscomposeError('unsupported', 'it was started by an older version, which cannot do that', {
    hint: 'stop it first, and start it afterwards',
  });
}

async function askMonitor(
  {layout}: ContainerContext,
  updated: ContainerRecord,
  operations: readonly (MonitorOperation | NetworkOperation)[],
): Promise<void> {
  const {directory, config, control} = layout.container(updated.id);
  const prepared = join(directory, `${preparedPrefix}${randomUUID()}`);
  await writeRecord(prepared, updated, {sync: true});
  try {
    const all = encodeOperations([planRestart(updated.hostConfig), ...operations]);
    await callMonitor(control, {kind: 'update', operations: all, source: prepared, target: config});
    await syncDirectory(directory);
  } finally {
    await rm(prepared, {force: true});
  }
}
