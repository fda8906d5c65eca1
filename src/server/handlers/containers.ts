import {defaultDetachKeys, parseDetachKeys} from '../../api/detach-keys.ts';
import type {Connection, HandlerInput, Handlers} from '../../api/endpoint.ts';
import type {containerEndpoints} from '../../api/endpoints/containers.ts';
import {checkFilters, knownFilters} from '../../api/filters.ts';
import {addTimestamp} from '../../api/log-timestamp.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import {hasReadableLog} from '../../engine/container/log-config.ts';
import {unreadableLog} from '../../engine/container/logs.ts';
import type {Engine, LogChunk, LogOptions, OutputChunk} from '../../engine/engine.ts';
import {attachmentConnection, encodeParts, outputType} from '../attachment-connection.ts';

type Rows = typeof containerEndpoints;

export function containerHandlers({containers}: Engine): Handlers<Rows> {
  return {
    containerPrune: ({query}) => containers.prune(query.filters),
    containerList: async ({query}) => {
      checkFilters(query.filters, knownFilters.containers);
      const limit = query.limit !== undefined && query.limit > 0 ? query.limit : undefined;
      return containers.list({
        all: query.all === true || limit !== undefined,
        ...(limit === undefined ? {} : {limit}),
        ...(query.filters === undefined ? {} : {filters: query.filters}),
      });
    },
    containerCreate: ({query, body}) =>
      containers.create(body, {
        ...(query.name === undefined || query.name === '' ? {} : {name: query.name}),
        ...(query.platform === undefined || query.platform === '' ? {} : {platform: query.platform}),
      }),
    containerInspect: ({path}) => containers.inspect(path.id),
    containerStart: ({path}) => containers.start(path.id),
    containerStop: ({path, query}) => containers.stop(path.id, endOptions(query)),
    containerRestart: ({path, query}) => containers.restart(path.id, endOptions(query)),
    containerKill: ({path, query}) => containers.kill(path.id, query.signal === '' ? undefined : query.signal),
    containerPause: ({path}) => containers.pause(path.id),
    containerUnpause: ({path}) => containers.unpause(path.id),
    containerRename: ({path, query}) => {
      if (query.name === undefined || query.name === '') {
        throw new TscomposeError('invalid', `cannot rename container "${path.id}": the new name is empty`);
      }
      return containers.rename(path.id, query.name);
    },
    containerUpdate: ({path, body}) => containers.update(path.id, body),
    containerDelete: ({path, query}) => {
      if (query.link === true)
        throw new TscomposeError('unsupported', 'removing a link of a container is not supported');
      return containers.remove(path.id, {force: query.force ?? false, volumes: query.v ?? false});
    },
    containerWait: async ({path, query, signal}) => {
      // The headers tell the client that its container may end now. One that is not there has a status of its own.
      let onReady = () => {};
      const ready = new Promise<void>((resolve) => {
        onReady = resolve;
      });
      const waiting = containers.wait(path.id, query.condition ?? 'not-running', signal, onReady);
      await Promise.race([ready, waiting]);
      return {later: waiting.catch((error: unknown) => ({StatusCode: -1, Error: {Message: messageOf(error)}}))};
    },
    containerLogs: async ({path, query, signal}) => {
      if (query.stdout !== true && query.stderr !== true) {
        throw new TscomposeError('invalid', "must specify at least one of 'stdout' or 'stderr'");
      }
      const {Config, HostConfig} = await containers.inspect(path.id);
      // Known before the answer begins: afterwards a client sees nothing but a connection that breaks off.
      if (!hasReadableLog({hostConfig: HostConfig})) throw unreadableLog();
      const tty = Config.Tty === true;
      const log = containers.logs(path.id, logOptions(query), signal);
      return {contentType: outputType(tty), bytes: encodeParts(annotated(log, query), tty)};
    },
    containerAttach: async (input) => attach(containers, input),
    containerAttachWebsocket: async () => {
      throw new TscomposeError('unsupported', 'attaching by WebSocket is not supported', {
        hint: 'use POST /containers/{id}/attach, which clients turn into a raw stream',
      });
    },
    containerResize: ({path, query}) => containers.resize(path.id, sizeOf(query)),
    containerStats: async ({path, query, signal}) => {
      const stream = query.stream ?? true;
      const oneShot = query['one-shot'] ?? false;
      if (stream && oneShot) throw new TscomposeError('invalid', 'cannot have stream=true and one-shot=true');
      return containers.stats(path.id, {stream, oneShot}, signal);
    },
    containerTop: ({path, query}) => containers.top(path.id, query.ps_args ?? ''),
    containerArchiveInfo: async ({path, query, signal}) => containers.statPath(path.id, pathOf(query), signal),
    containerArchive: async ({path, query, signal}) => {
      const {stat, archive} = await containers.archivePath(path.id, pathOf(query), signal);
      return {contentType: 'application/x-tar', bytes: archive, description: stat};
    },
    containerPutArchive: async ({path, query, body, signal}) => {
      const {noOverwriteDirNonDir = false, copyUIDGID = false} = query;
      const options = {path: pathOf(query), typed: noOverwriteDirNonDir, owned: copyUIDGID};
      return containers.extractArchive(path.id, options, body, signal);
    },
    containerExport: async ({path, signal}) => ({
      contentType: 'application/octet-stream',
      bytes: await containers.export(path.id, signal),
    }),
    containerCommit: ({query, body, signal}) =>
      containers.commit(
        query.container ?? '',
        {
          repository: query.repo ?? '',
          tag: query.tag ?? '',
          comment: query.comment ?? '',
          author: query.author ?? '',
          pause: query.pause ?? true,
          changes: query.changes ?? [],
          config: body,
        },
        signal,
      ),
    containerChanges: async ({path, signal}) => {
      const changes = await containers.changes(path.id, signal);
      return changes.length === 0 ? null : changes;
    },
  };
}

function pathOf({path = ''}: {readonly path?: string | undefined}): string {
  if (path === '') throw new TscomposeError('invalid', 'bad parameter: path cannot be empty');
  return path;
}

/** `h` and `w` of a resize. Throws `invalid`. */
export function sizeOf(query: {readonly h?: number | undefined; readonly w?: number | undefined}): {
  readonly height: number;
  readonly width: number;
} {
  const {h, w} = query;
  if (h === undefined || w === undefined || h < 0 || w < 0 || h > 65535 || w > 65535) {
    throw new TscomposeError('invalid', 'the size of a terminal needs "h" and "w", each from 0 to 65535');
  }
  return {height: h, width: w};
}

async function attach(
  containers: Engine['containers'],
  {path, query}: HandlerInput<Rows['containerAttach']>,
): Promise<Connection> {
  const detachKeys = detachKeysOf(query.detachKeys, 'detach');
  const {Config} = await containers.inspect(path.id);
  const attachment = await containers.attach(path.id, {
    stdin: query.stdin ?? false,
    stdout: query.stdout ?? false,
    stderr: query.stderr ?? false,
    logs: query.logs ?? false,
    stream: query.stream ?? false,
    detachKeys,
  });
  return attachmentConnection(attachment, Config.Tty === true);
}

/** In Docker's words, of an attach or an exec. Throws `invalid`. */
export function detachKeysOf(text: string | undefined, kind: 'detach' | 'escape'): Uint8Array {
  try {
    return parseDetachKeys(text || defaultDetachKeys);
  } catch (error) {
    if (!hasKind(error, 'invalid')) throw error;
    throw new TscomposeError('invalid', `Invalid ${kind} keys (${text}) provided`, {hint: error.hint, cause: error});
  }
}

function endOptions(query: {readonly t?: number | undefined; readonly signal?: string | undefined}): {
  readonly timeoutSeconds?: number;
  readonly signal?: string;
} {
  return {
    ...(query.t === undefined ? {} : {timeoutSeconds: query.t < 0 ? -1 : query.t}),
    ...(query.signal === undefined || query.signal === '' ? {} : {signal: query.signal}),
  };
}

function logOptions(query: HandlerInput<Rows['containerLogs']>['query']): LogOptions {
  return {
    stdout: query.stdout ?? false,
    stderr: query.stderr ?? false,
    follow: query.follow ?? false,
    ...(query.tail === undefined || query.tail === 'all' ? {} : {tail: query.tail}),
    // 0 is what clients send for "from the beginning" and "to the end".
    ...(query.since === undefined || query.since === 0 ? {} : {since: query.since}),
    ...(query.until === undefined || query.until === 0 ? {} : {until: query.until}),
  };
}

/** With the time before each line, and its attributes with a space after them, also where there are none. */
async function* annotated(
  log: AsyncIterable<readonly LogChunk[]>,
  {
    timestamps = false,
    details = false,
  }: {readonly timestamps?: boolean | undefined; readonly details?: boolean | undefined},
): AsyncGenerator<readonly OutputChunk[]> {
  for await (const chunks of log)
    yield chunks.map(({stream, data, time, attributes = {}}) => {
      const line = details ? Buffer.concat([Buffer.from(`${attributeText(attributes)} `), data]) : data;
      return {stream, data: timestamps ? addTimestamp(time, line) : line};
    });
}

/** `name=value,name=value`, sorted; both escaped as in the query of an address. */
function attributeText(attributes: Readonly<Record<string, string>>): string {
  return Object.keys(attributes)
    .sort()
    .map((name) => `${queryEscape(name)}=${queryEscape(attributes[name] ?? '')}`)
    .join(',');
}

function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
