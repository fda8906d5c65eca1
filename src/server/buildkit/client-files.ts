import {TscomposeError} from '../../base/errors.ts';
import {fileType} from './file-mode.ts';
import type {Caller} from './grpc-client.ts';
import type {Message} from './messages.ts';
import {packets} from './packets.ts';

/** Files of a directory that the client of a build has. */
export interface WantedFiles {
  /** Who has it. */
  readonly caller: () => Promise<Caller>;
  /** The name it is known by, such as `context`. */
  readonly directory: string;
  /** Patterns of an ignore file: what they match is not sent. */
  readonly exclude?: readonly string[];
  /** Only these, and what they lead to where they are links. */
  readonly only?: readonly string[];
}

/** A file that is being sent. The next one comes when this one was read to its end. */
export interface SentFile {
  readonly stat: Message<'Stat'>;
  readonly content: AsyncIterable<Uint8Array>;
}

/** Told what there is, says which of it is wanted, by number. */
export type ChooseFiles = (stats: readonly Message<'Stat'>[]) => Promise<(id: number) => boolean>;

/** Files whose content is asked for ahead of the one that is read: at most so many, and so many bytes. */
const aheadFiles = 64;
const aheadBytes = 8 * 1024 * 1024;
/** What there is comes before any of it is asked for: so much is held. */
const mostFiles = 2_000_000;

/**
 * Receives files as fsutil sends them: first what there is, in the order of the tree, then the content of each regular file
 * that is asked for. Contents are asked for ahead, so that many small files do not wait for an answer each. Throws
 * `conflict` for a file that is not as long as was said.
 */
export async function* receiveFiles(
  wanted: WantedFiles,
  signal: AbortSignal,
  choose: ChooseFiles = async () => () => true,
): AsyncGenerator<SentFile, void, undefined> {
  const caller = await wanted.caller();
  const call = caller.open(
    '/moby.filesync.v1.FileSync/DiffCopy',
    {request: 'Packet', answer: 'Packet'},
    headersOf(wanted),
  );
  let isWhole = false;
  const stop = () => call.cancel();
  signal.addEventListener('abort', stop, {once: true});
  const answers = call.answers[Symbol.asyncIterator]();
  const next = async (): Promise<Message<'Packet'>> => {
    const {value, done} = await answers.next();
    signal.throwIfAborted();
    if (done === true) throw new TscomposeError('unavailable', 'the client of the build stopped sending its files');
    if (value.type === packets.error) throw new TscomposeError('invalid', Buffer.from(value.data).toString('utf8'));
    return value;
  };
  try {
    const stats: Message<'Stat'>[] = [];
    for (let packet = await next(); packet.stat != null; packet = await next()) {
      if (stats.length === mostFiles) throw tooManyFiles(wanted);
      stats.push(packet.stat);
    }
    const isWanted = await choose(stats);
    const arrived = new Map<number, {readonly pieces: Uint8Array[]; missing: number}>();
    const ahead = createAhead({stats, isWanted}, async (id) => {
      arrived.set(id, {pieces: [], missing: stats[id]?.size ?? 0});
      await call.send({type: packets.request, id});
    });
    // Only what was asked for is held, and no more of it than was said.
    const take = ({id, data}: Message<'Packet'>) => {
      const file = arrived.get(id);
      if (file === undefined)
        throw new TscomposeError('invalid', `the client sent file ${id}, which was not asked for`);
      if (data.length === 0 ? file.missing !== 0 : data.length > file.missing) throw changed(stats[id]);
      file.missing -= data.length;
      return file.pieces;
    };
    const read = async function* (id: number): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) {
        for (const data of arrived.get(id)?.pieces.splice(0) ?? []) {
          if (data.length === 0) return;
          yield data;
        }
        const packet = await next();
        // Views of a larger piece would keep it all.
        if (packet.type === packets.data) take(packet).push(packet.id === id ? packet.data : Buffer.from(packet.data));
      }
    };
    for (const [id, stat] of stats.entries()) {
      if (!isWanted(id)) continue;
      await ahead.ask(id);
      const content = hasContent(stat) ? read(id) : nothing();
      yield {stat, content};
      for await (const _ of content);
      arrived.delete(id);
      ahead.done(stat);
    }
    await call.send({type: packets.end});
    for (let packet = await next(); packet.type !== packets.end; packet = await next());
    call.end();
    // To the end of the call: what it ends with may be an error.
    while ((await answers.next()).done !== true);
    isWhole = true;
  } finally {
    signal.removeEventListener('abort', stop);
    if (!isWhole) call.cancel();
  }
}

function tooManyFiles({directory}: WantedFiles): Error {
  return new TscomposeError(
    'exhausted',
    `"${directory}" has more than ${mostFiles} files, which is more than builds take`,
    {
      hint: 'leave some out with a .dockerignore',
    },
  );
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

function hasContent(stat: Message<'Stat'>): boolean {
  return fileType(stat.mode) === 'file' && stat.linkname === '' && stat.size > 0;
}

function changed(stat: Message<'Stat'> | undefined): Error {
  return new TscomposeError('conflict', `"${stat?.path}" changed while it was sent`, {hint: 'build again'});
}

/** Asks for contents in their order, some ahead of the one that is read. */
function createAhead(
  {stats, isWanted}: {readonly stats: readonly Message<'Stat'>[]; readonly isWanted: (id: number) => boolean},
  request: (id: number) => Promise<void>,
) {
  let asked = 0;
  let files = 0;
  let bytes = 0;
  const askSome = async (current: number) => {
    for (; asked < stats.length; asked++) {
      const stat = stats[asked];
      if (stat === undefined || !hasContent(stat) || !isWanted(asked)) continue;
      if (asked > current && (files >= aheadFiles || bytes + stat.size > aheadBytes)) return;
      files += 1;
      bytes += stat.size;
      await request(asked);
    }
  };
  return {
    ask: askSome,
    done(stat: Message<'Stat'>) {
      if (!hasContent(stat)) return;
      files -= 1;
      bytes -= stat.size;
    },
  };
}

/** Patterns with other characters than those of headers are percent-encoded, and marked (`filesync.go`). */
function headersOf({
  directory,
  exclude = [],
  only = [],
}: WantedFiles): Readonly<Record<string, string | readonly string[]>> {
  return Object.fromEntries(
    Object.entries({'dir-name': [directory], 'exclude-patterns': exclude, followpaths: only}).flatMap(
      ([name, values]): [string, string | readonly string[]][] => {
        if (values.length === 0) return [];
        if (values.every((value) => /^[\x20-\x7e]*$/.test(value))) return [[name, values]];
        return [
          [name, values.map((value) => encodeURIComponent(value))],
          [`${name}-encoded`, '1'],
        ];
      },
    ),
  );
}

/** Small files by their paths. */
export async function readClientFiles(wanted: WantedFiles, signal: AbortSignal): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const {stat, content} of receiveFiles(wanted, signal)) {
    if (stat.size > largestText) throw new TscomposeError('invalid', `"${stat.path}" is too large: ${stat.size} bytes`);
    const pieces: Uint8Array[] = [];
    for await (const data of content) pieces.push(data);
    if (fileType(stat.mode) === 'file') files.set(stat.path, Buffer.concat(pieces));
  }
  return files;
}

/** Bytes that a Dockerfile or an ignore file may have. */
const largestText = 4 * 1024 * 1024;

/** An archive that the client has under a name. */
export async function* uploadOfClient(
  caller: Caller,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const types = {request: 'BytesMessage', answer: 'BytesMessage'} as const;
  const call = caller.open('/moby.upload.v1.Upload/Pull', types, {urlpath: name});
  const stop = () => call.cancel();
  signal.addEventListener('abort', stop, {once: true});
  try {
    for await (const {data} of call.answers) yield data;
    call.end();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
