import {watchKeys} from '../../api/detach-keys.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import type {Attachment, AttachOptions, OutputChunk} from '../engine.ts';
import {callMonitor, type FrameConnection, isMonitorGone, openFrames} from '../helper/control.ts';
import {encodeFrame, frameTypes} from '../helper/frames.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {expectClient} from './expected-clients.ts';
import {endKilledCommit} from './killed-commit.ts';
import {hasReadableLog} from './log-config.ts';
import {readLogs, unreadableLog} from './logs.ts';
import {type FoundContainer, findContainer} from './reference.ts';
import {isPaused as isFrozen, type Observation, observe} from './state.ts';

/** What is asked of a monitor. */
interface Streams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/**
 * Connects to a container's streams until its run ends; one that does not run is waited for. Throws `conflict` for a
 * container that is paused or between two runs.
 */
export async function attachContainer(
  context: ContainerContext,
  reference: string,
  options: AttachOptions,
): Promise<Attachment> {
  const found = await findContainer(context.layout, reference);
  const {id, name, record} = found;
  const {logs = false, stream = true} = options;
  const {Tty: tty = false, OpenStdin: open = false, StdinOnce: once = false} = record.config;
  const observation = await observe(context, id);
  const isPaused = isFrozen(observation) && !(await endKilledCommit(context, id));
  refuseAtRest(reference, {observation, isPaused});
  if (logs && !hasReadableLog(record)) throw unreadableLog();
  const streams = {stdin: options.stdin && open, stdout: options.stdout, stderr: options.stderr};
  const isLive = observation.kind === 'live';
  const replayed = logs && (streams.stdout || streams.stderr);
  // The log replayed and then followed has everything once. A terminal's lines are not whole for long: it is followed itself.
  const followsLog = replayed && stream && isLive && !tty;
  const wanted = followsLog ? {...streams, stdout: false, stderr: false} : streams;
  const connected = stream && Object.values(streams).some(Boolean) ? await connect(context, found, wanted) : nothing;
  await publishContainerEvent(context, record, name, 'attach');
  const attachment = replayed ? withLog(context, id, connected, {streams, follow: followsLog}) : connected;
  const ending = !streams.stdin ? withoutInput(attachment) : tty || !once ? endingWithInput(attachment) : attachment;
  const {detachKeys} = options;
  if (detachKeys === undefined || !streams.stdin || !tty) return ending;
  return detachable(ending, detachKeys, () => publishContainerEvent(context, record, name, 'detach'));
}

function refuseAtRest(
  reference: string,
  {observation, isPaused}: {readonly observation: Observation; readonly isPaused: boolean},
): void {
  if (isPaused) throw restsFor(`container ${reference}`, 'attach');
  if (observation.kind === 'live' && observation.state.status === 'restarting') {
    throw new TscomposeError('conflict', `container ${reference} is restarting, wait until the container is running`);
  }
}

/** The next run's streams, where it does not run. */
async function connect(context: ContainerContext, found: FoundContainer, streams: Streams): Promise<Attachment> {
  const running = await tryConnect(context, found, streams);
  if (running !== undefined) return toAttachment(running, readOutput(running));
  const expected = await expectClient(context, found.id);
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, context.closing]);
  const connected = expected.connected(() => tryConnect(context, found, streams), signal);
  return attachmentOf(
    connected.then((connection) => connection && toAttachment(connection, readOutput(connection))),
    stop,
  );
}

/** Undefined: it does not run. */
async function tryConnect(
  {layout}: ContainerContext,
  {id}: FoundContainer,
  streams: Streams,
): Promise<FrameConnection<object> | undefined> {
  try {
    return await openFrames<object>(layout.container(id).control, {kind: 'attach', ...streams});
  } catch (error) {
    // A run that has just ended, or one that could not begin.
    if (isMonitorGone(error) || hasKind(error, 'conflict')) return undefined;
    throw error;
  }
}

/** An attachment that is still to come, or never will. */
function attachmentOf(coming: Promise<Attachment | undefined>, stop: AbortController): Attachment {
  // Told to whoever reads the output.
  coming.catch(() => {});
  return {
    output: (async function* () {
      const attachment = await coming;
      if (attachment !== undefined) yield* attachment.output;
    })(),
    write: async (data) => (await coming)?.write(data),
    closeInput: async () => (await coming)?.closeInput(),
    resize: async (height, width) => (await coming)?.resize(height, width),
    detach() {
      stop.abort();
      void coming.then((attachment) => attachment?.detach()).catch(() => {});
    },
  };
}

/** No stream is wanted: it ends at once. */
const nothing: Attachment = {
  output: (async function* () {})(),
  write: async () => {},
  closeInput: async () => {},
  resize: async () => {},
  detach: () => {},
};

interface Replay {
  readonly streams: Streams;
  readonly follow: boolean;
}

/** What it wrote so far, and then what it goes on to write: from its log too, or from its streams. */
function withLog(context: ContainerContext, id: string, live: Attachment, {streams, follow}: Replay): Attachment {
  const detached = new AbortController();
  const {stdout, stderr} = streams;
  const log = readLogs(context, id, {stdout, stderr, follow}, detached.signal);
  return {
    ...live,
    output: untilAborted(detached.signal, follow ? thenLetGo(log, live) : oneAfterTheOther(log, live.output)),
    detach: () => {
      detached.abort();
      live.detach();
    },
  };
}

/** Nobody reads what the connection itself says: with the end of the log it is of no more use. */
async function* thenLetGo(
  log: AsyncIterable<readonly OutputChunk[]>,
  live: Attachment,
): AsyncGenerator<OutputChunk, void, undefined> {
  try {
    for await (const chunks of log) yield* chunks;
  } finally {
    live.detach();
  }
}

async function* oneAfterTheOther(
  log: AsyncIterable<readonly OutputChunk[]>,
  live: AsyncIterable<OutputChunk>,
): AsyncGenerator<OutputChunk, void, undefined> {
  for await (const chunks of log) yield* chunks;
  yield* live;
}

/** What is typed into a connection without input is nobody's. */
function withoutInput(attachment: Attachment): Attachment {
  return {...attachment, write: async () => {}, closeInput: async () => {}};
}

/** Of a terminal, and of an input that others may go on with, a client's last word ends its connection, not the input. */
function endingWithInput(attachment: Attachment): Attachment {
  return {...attachment, closeInput: async () => attachment.detach()};
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
    throw isMonitorGone(error) || hasKind(error, 'conflict') ? notRunning(found) : error;
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
export function detachable(attachment: Attachment, keys: Uint8Array, onDetach: () => Promise<void>): Attachment {
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
  onExit: (exitCode: number | undefined) => void = () => {},
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
