import {watchKeys} from '../../api/detach-keys.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Attachment, AttachOptions, OutputChunk} from '../engine.ts';
import {callMonitor, type FrameConnection, isMonitorGone, openFrames} from '../helper/control.ts';
import {encodeFrame, frameTypes} from '../helper/frames.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {readLogs} from './logs.ts';
import {type FoundContainer, findContainer} from './reference.ts';
import {isPaused, observe} from './state.ts';

/** Connects to a running container's streams. Throws `conflict` when it does not run. */
export async function attachContainer(
  context: ContainerContext,
  reference: string,
  options: AttachOptions,
): Promise<Attachment> {
  const found = await findContainer(context.layout, reference);
  const {id, name, record} = found;
  const observation = await observe(context, id);
  if (observation.kind !== 'live') throw notRunning(found);
  if (isPaused(observation)) throw restsFor(`container ${reference}`, 'attach');
  const {stdout, stderr, logs = false} = options;
  const connection = await openFrames<object>(context.layout.container(id).control, {
    kind: 'attach',
    stdin: options.stdin && record.config.OpenStdin === true,
    // The log replayed and then followed has everything once; a replay beside the live streams would repeat some of it.
    stdout: stdout && !logs,
    stderr: stderr && !logs,
  }).catch((error: unknown) => {
    throw isMonitorGone(error) ? notRunning(found) : error;
  });
  await publishContainerEvent(context, record, name, 'attach');
  const live = toAttachment(
    connection,
    readOutput(connection, () => undefined),
  );
  const attachment = logs && (stdout || stderr) ? withLog(context, id, live, {stdout, stderr}) : live;
  const {detachKeys} = options;
  if (detachKeys === undefined || !options.stdin || record.config.Tty !== true) return attachment;
  return detachable(attachment, detachKeys, () => publishContainerEvent(context, record, name, 'detach'));
}

/** What it wrote so far and goes on to write, from its log. */
function withLog(
  context: ContainerContext,
  id: string,
  live: Attachment,
  streams: Pick<AttachOptions, 'stdout' | 'stderr'>,
): Attachment {
  const detached = new AbortController();
  return {
    ...live,
    output: untilAborted(detached.signal, readLogs(context, id, {...streams, follow: true}, detached.signal)),
    detach: () => {
      detached.abort();
      live.detach();
    },
  };
}

/** Throws `conflict` when it does not run. */
export async function resizeContainer(
  context: ContainerContext,
  reference: string,
  {height, width}: {readonly height: number; readonly width: number},
): Promise<void> {
  const found = await findContainer(context.layout, reference);
  try {
    await callMonitor(context.layout.container(found.id).control, {kind: 'resize', rows: height, columns: width});
  } catch (error) {
    throw isMonitorGone(error) ? notRunning(found) : error;
  }
}

export function notRunning({id}: FoundContainer): TscomposeError {
  return new TscomposeError('conflict', `container ${id} is not running`);
}

/** `subject` as Docker calls it. */
export function restsFor(subject: string, wish: 'attach' | 'exec'): TscomposeError {
  return new TscomposeError('conflict', `${subject} is paused, unpause the container before ${wish}`);
}

/** Keys typed into it let go of it. */
function detachable(attachment: Attachment, keys: Uint8Array, onDetach: () => Promise<void>): Attachment {
  const watch = watchKeys(keys);
  let detached = false;
  return {
    ...attachment,
    async write(typed) {
      if (detached) return;
      const {data, found} = watch.pass(typed);
      detached = found;
      if (data.length > 0) await attachment.write(data);
      if (!found) return;
      attachment.detach();
      await onDetach();
    },
  };
}

/** Detaching is an end like any other. */
async function* untilAborted(
  signal: AbortSignal,
  output: AsyncIterable<OutputChunk>,
): AsyncGenerator<OutputChunk, void, undefined> {
  try {
    yield* output;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Frames as chunks, up to the exit frame or the end of the connection. `onExit` is called before the iteration ends. */
export async function* readOutput(
  connection: FrameConnection<object>,
  onExit: (exitCode: number | undefined) => void,
): AsyncGenerator<OutputChunk, void, undefined> {
  let exitCode: number | undefined;
  try {
    for await (const {type, payload} of connection.frames) {
      if (type === frameTypes.stdout) yield {stream: 'stdout', data: payload};
      else if (type === frameTypes.stderr) yield {stream: 'stderr', data: payload};
      else if (type === frameTypes.exit) {
        exitCode = (JSON.parse(Buffer.from(payload).toString()) as {readonly exitCode: number}).exitCode;
        break;
      }
    }
  } finally {
    onExit(exitCode);
    connection.destroy();
  }
}

/** A monitor takes a frame once it has all of it, and keeps little for a process that does not read. */
const longestInput = 32 * 1024;

export function toAttachment(connection: FrameConnection<object>, output: AsyncIterable<OutputChunk>): Attachment {
  return {
    output,
    async write(data) {
      for (let at = 0; at < data.length; at += longestInput) {
        await connection.write(encodeFrame(frameTypes.stdin, data.subarray(at, at + longestInput)));
      }
    },
    closeInput: () => connection.write(encodeFrame(frameTypes.endOfInput)),
    resize: (height, width) => connection.write(encodeFrame(frameTypes.resize, Buffer.from(`${height} ${width}`))),
    detach: () => connection.destroy(),
  };
}
