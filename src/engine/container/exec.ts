import {randomBytes} from 'node:crypto';
import type {ExecCreateBody, ExecInspect} from '../../api/types/exec.ts';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {Attachment, Execs, OutputChunk} from '../engine.ts';
import {isMonitorGone, openFrames} from '../helper/control.ts';
import {encodeOperations, type SetupOperation} from '../helper/operations.ts';
import {detachable, notRunning, readOutput, restsFor, toAttachment} from './attach.ts';
import {allCapabilities} from './capabilities.ts';
import {publishContainerEvent} from './container-event.ts';
import type {ContainerContext} from './context.ts';
import {addExec, type ExecRecord} from './exec-records.ts';
import {processEnvironment} from './image-config.ts';
import {endKilledCommit} from './killed-commit.ts';
import {noLinks, planLinks} from './legacy-links.ts';
import type {Machine} from './machine.ts';
import {planCapabilities} from './process-plan.ts';
import {findContainer} from './reference.ts';
import {type Identity, identityOf} from './shared-namespaces.ts';
import {isPaused, observe} from './state.ts';

export function createExecs(context: ContainerContext): Execs {
  return {
    create: (reference, body) => createExec(context, reference, body),
    start: (id, options) => startExec(context, id, options),
    async resize(id, {height, width}) {
      const record = findExec(context, id);
      if (record.attachment === undefined || record.state !== 'running')
        throw new TscomposeError('conflict', `exec ${id} is not running`);
      await record.attachment.resize(height, width);
    },
    inspect: async (id) => toInspect(findExec(context, id)),
  };
}

function findExec(context: ContainerContext, id: string): ExecRecord {
  const record = context.execs.get(id);
  if (record === undefined) throw new TscomposeError('notFound', `No such exec instance: ${id}`);
  return record;
}

async function createExec(
  context: ContainerContext,
  reference: string,
  body: ExecCreateBody,
): Promise<{readonly Id: string}> {
  const found = await findContainer(context.layout, reference);
  if ((body.Cmd ?? []).length === 0) throw new TscomposeError('invalid', 'No exec command specified');
  if (body.WorkingDir && !body.WorkingDir.startsWith('/'))
    throw new TscomposeError(
      'invalid',
      `the working directory '${body.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  const observation = await observe(context, found.id);
  if (observation.kind !== 'live') throw notRunning(found);
  if (observation.state.status === 'restarting') {
    throw new TscomposeError('conflict', `Container ${found.id} is restarting, wait until the container is running`);
  }
  if (isPaused(observation) && !(await endKilledCommit(context, found.id)))
    throw restsFor(`Container ${reference}`, 'exec');
  const id = randomBytes(32).toString('hex');
  const user = found.record.config.User;
  addExec(context.execs, {
    id,
    containerId: found.id,
    // A command of nobody in particular is one of the container's user.
    body: body.User || !user ? body : {...body, User: user},
    state: 'created',
    exitCode: null,
    pid: 0,
    attachment: undefined,
  });
  await publishContainerEvent(context, found.record, found.name, commandEvent('exec_create', body), {
    execID: id,
  });
  return {Id: id};
}

interface ExecStart {
  readonly detach: boolean;
  readonly consoleSize?: readonly [number, number];
  readonly detachKeys?: Uint8Array;
}

async function startExec(context: ContainerContext, id: string, options: ExecStart): Promise<Attachment | undefined> {
  const exec = findExec(context, id);
  if (exec.state !== 'created') throw new TscomposeError('conflict', `exec command ${id} has already run`);
  const {body} = exec;
  const found = await findContainer(context.layout, exec.containerId);
  // It may still be started when the container goes on.
  if (isPaused(await observe(context, found.id)) && !(await endKilledCommit(context, found.id)))
    throw restsFor(`Container ${found.id}`, 'exec');
  const identity = await identityOf(context.layout, found.record);
  const publish = (action: string) => publishContainerEvent(context, found.record, found.name, action, {execID: id});
  // What it is linked with may have ended since: then there is nothing to tell of it.
  const {variables: linked} = await planLinks(context, found.record, found.name).catch(() => noLinks);
  exec.state = 'running';
  await publish(commandEvent('exec_start', body));
  const [rows, columns] = options.consoleSize ?? body.ConsoleSize ?? [0, 0];
  try {
    const connection = await openFrames<{readonly pid: number}>(context.layout.container(found.id).control, {
      kind: 'exec',
      tty: body.Tty ?? false,
      stdin: (body.AttachStdin ?? false) && !options.detach,
      rows,
      columns,
      operations: encodeOperations(planExec(identity, body, {machine: await context.machine(), linked})),
      id,
    });
    exec.pid = connection.first.pid;
    const output = readOutput(connection, (exitCode) => {
      exec.state = 'exited';
      exec.exitCode = exitCode ?? null;
    });
    const whole = toAttachment(connection, output);
    exec.attachment = whole;
    const letGo = () => connection.unref();
    if (!options.detach) {
      return clientOf(whole, {body, letGo, keys: options.detachKeys, onDetach: () => publish('exec_detach')});
    }
    letGo();
    void drain(output[Symbol.asyncIterator]());
    return undefined;
  } catch (error) {
    exec.state = 'exited';
    exec.exitCode = error instanceof TscomposeError && [125, 126, 127].includes(error.exitCode) ? error.exitCode : 126;
    throw isMonitorGone(error) ? notRunning(found) : toTscomposeError(error);
  }
}

interface ExecClient {
  readonly body: ExecCreateBody;
  readonly keys: Uint8Array | undefined;
  readonly letGo: () => void;
  readonly onDetach: () => Promise<void>;
}

/** What a client has of an exec: it may let go of it, and the process goes on. */
function clientOf(whole: Attachment, {body, keys, letGo, onDetach}: ExecClient): Attachment {
  const output = untilDetached(whole.output, letGo);
  const client: Attachment = {
    ...whole,
    output: selectStreams(output.chunks, body),
    // A terminal has no end of input; as in Docker, its client's last word ends the connection.
    closeInput: async () => (body.Tty ? output.detach() : whole.closeInput()),
    detach() {
      // Nobody else can type into what has no terminal.
      if (!body.Tty) void whole.closeInput().catch(() => {});
      output.detach();
    },
  };
  return keys === undefined || !body.Tty || !body.AttachStdin ? client : detachable(client, keys, onDetach);
}

/** Ends where the client lets go, and is read on for the exit code, for as long as this engine lives. */
function untilDetached(
  output: AsyncIterable<OutputChunk>,
  letGo: () => void,
): {readonly chunks: AsyncIterable<OutputChunk>; detach(): void} {
  const source = output[Symbol.asyncIterator]();
  const end: IteratorResult<OutputChunk, undefined> = {done: true, value: undefined};
  let detached = false;
  let over = false;
  let wake: () => void = () => {};
  const detach = () => {
    if (detached || over) return;
    detached = true;
    letGo();
    void drain(source);
    wake();
  };
  const next = () =>
    new Promise<IteratorResult<OutputChunk, undefined>>((resolve, reject) => {
      if (detached) return resolve(end);
      wake = () => resolve(end);
      source.next().then((result) => {
        over ||= result.done === true;
        resolve(result.done ? end : result);
      }, reject);
    });
  const chunks = (async function* () {
    try {
      for (let result = await next(); !result.done; result = await next()) yield result.value;
    } finally {
      detach();
    }
  })();
  return {chunks, detach};
}

/** As Docker writes it: the program, a space, and its arguments. */
function commandEvent(action: 'exec_create' | 'exec_start', {Cmd}: ExecCreateBody): string {
  const [program, ...words] = Cmd ?? [];
  return `${action}: ${program} ${words.join(' ')}`;
}

async function drain(source: AsyncIterator<OutputChunk>): Promise<void> {
  try {
    while (!(await source.next()).done);
  } catch {
    // The container ended.
  }
}

/** With a terminal everything is output; else only what was asked for. */
async function* selectStreams(
  output: AsyncIterable<OutputChunk>,
  body: ExecCreateBody,
): AsyncGenerator<OutputChunk, void, undefined> {
  for await (const chunk of output) {
    if (chunk.stream === 'stdout' ? body.AttachStdout === true : body.AttachStderr === true) yield chunk;
  }
}

/** What differs from the container's own process; the rest (limits, filter) is the same, also for a privileged one. */
function planExec(
  {record}: Identity,
  body: ExecCreateBody,
  {machine, linked}: {readonly machine: Machine; readonly linked: readonly string[]},
): readonly SetupOperation[] {
  const {config} = record;
  const hostname = config.Hostname ?? '';
  return [
    {kind: 'user', user: body.User || config.User || ''},
    ...(body.Privileged ? [planCapabilities(machine, allCapabilities)] : []),
    {kind: 'workdir', target: body.WorkingDir || config.WorkingDir || '/'},
    {
      kind: 'env',
      variables: processEnvironment(
        {...config, Tty: body.Tty ?? false, Env: [...linked, ...(config.Env ?? []), ...(body.Env ?? [])]},
        hostname,
      ),
    },
    {kind: 'argv', words: body.Cmd ?? []},
  ];
}

function toInspect({id, containerId, body, state, exitCode, pid}: ExecRecord): ExecInspect {
  const [entrypoint = '', ...words] = body.Cmd ?? [];
  return {
    ID: id,
    Running: state === 'running',
    ExitCode: exitCode,
    ProcessConfig: {
      tty: body.Tty ?? false,
      entrypoint,
      arguments: words,
      privileged: body.Privileged ?? false,
      ...(body.User ? {user: body.User} : {}),
    },
    OpenStdin: body.AttachStdin ?? false,
    OpenStdout: body.AttachStdout ?? false,
    OpenStderr: body.AttachStderr ?? false,
    CanRemove: false,
    ContainerID: containerId,
    DetachKeys: body.DetachKeys ?? '',
    Pid: pid,
  };
}
