import type {Containers} from '../engine.ts';
import {archiveContainerPath, exportContainer, statContainerPath} from './archive.ts';
import {attachContainer, resizeContainer} from './attach.ts';
import {bootContainers} from './boot.ts';
import {containerChanges} from './changes.ts';
import {commitContainer} from './commit.ts';
import type {ContainerContext} from './context.ts';
import {createContainer} from './create.ts';
import {extractIntoContainer} from './extract.ts';
import {inspectContainer} from './inspect.ts';
import {listContainers} from './list.ts';
import {readLogs} from './logs.ts';
import {pauseContainer, unpauseContainer} from './pause.ts';
import {removeContainer} from './remove.ts';
import {renameContainer} from './rename.ts';
import {startContainer} from './start.ts';
import {containerStats} from './stats/stats.ts';
import {killContainer, restartContainer, stopContainer} from './stop.ts';
import {syncContainer, syncedFiles} from './sync.ts';
import {topContainer} from './top/top.ts';
import {updateContainer} from './update.ts';
import {waitForContainer} from './wait.ts';

/** One file an operation; this is the table of them. */
export function createContainers(context: ContainerContext): Omit<Containers, 'prune'> {
  return {
    list: (options) => listContainers(context, options),
    inspect: (reference) => inspectContainer(context, reference),
    create: (body, options) => createContainer(context, body, options),
    boot: () => bootContainers(context),
    start: (reference) => startContainer(context, reference),
    stop: (reference, options) => stopContainer(context, reference, options),
    restart: (reference, options) => restartContainer(context, reference, options),
    kill: (reference, signal) => killContainer(context, reference, signal),
    pause: (reference) => pauseContainer(context, reference),
    unpause: (reference) => unpauseContainer(context, reference),
    rename: (reference, name) => renameContainer(context, reference, name),
    update: (reference, body) => updateContainer(context, reference, body),
    remove: (reference, options) => removeContainer(context, reference, options),
    wait: (reference, condition, signal, onReady) => waitForContainer(context, reference, condition, signal, onReady),
    logs: (reference, options, signal) => readLogs(context, reference, options, signal),
    attach: (reference, options) => attachContainer(context, reference, options),
    stats: (reference, options, signal) => containerStats(context, reference, options, signal),
    top: (reference, psArguments) => topContainer(context, reference, psArguments),
    resize: (reference, size) => resizeContainer(context, reference, size),
    statPath: (reference, path, signal) => statContainerPath(context, reference, path, signal),
    archivePath: (reference, path, signal) => archiveContainerPath(context, reference, path, signal),
    extractArchive: (reference, options, archive, signal) =>
      extractIntoContainer(context, reference, options, {archive, signal}),
    export: (reference, signal) => exportContainer(context, reference, signal),
    changes: (reference, signal) => containerChanges(context, reference, signal),
    commit: (reference, options, signal) => commitContainer(context, reference, options, signal),
    sync: (reference, options, archive, signal) => syncContainer(context, reference, options, archive, signal),
    synced: (reference) => syncedFiles(context, reference),
  };
}
