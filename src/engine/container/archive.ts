import {goFileMode} from '../../api/file-mode.ts';
import type {PathStat} from '../../api/types/archive.ts';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {anyTime} from '../helper/file-operations.ts';
import type {FileStat} from '../helper/files-process.ts';
import {helperFailure} from '../helper/reply.ts';
import {publishContainerEvent} from './container-event.ts';
import {type ContainerPath, parseContainerPath} from './container-path.ts';
import type {ContainerContext} from './context.ts';
import {openContainerFiles} from './in-container-files.ts';

/** What is at a path of a container, whether it runs or not. Throws `notFound`. */
export async function statContainerPath(
  context: ContainerContext,
  reference: string,
  path: string,
  signal?: AbortSignal,
): Promise<PathStat> {
  const parsed = parseContainerPath(path);
  try {
    const {reply, output} = await openContainerFiles(
      context,
      reference,
      (place) => ({kind: 'fileStat', ...place, path: parsed.clean, follow: parsed.follow}),
      {signal},
    );
    for await (const _ of output);
    return pathStat(parsed, reply.stat);
  } catch (error) {
    throw explainRead(error, {reference, path, clean: parsed.clean});
  }
}

/** The same, and a tar of it. Throws `notFound`. */
export async function archiveContainerPath(
  context: ContainerContext,
  reference: string,
  path: string,
  signal?: AbortSignal,
): Promise<{readonly stat: PathStat; readonly archive: AsyncIterable<Uint8Array>}> {
  const {clean, follow, name} = parseContainerPath(path);
  const subject = {reference, path, clean};
  try {
    const {found, reply, output} = await openContainerFiles(
      context,
      reference,
      (place) => ({kind: 'fileArchive', ...place, path: clean, follow, name}),
      {signal},
    );
    const stat = pathStat({clean, follow, name}, reply.stat);
    await publishContainerEvent(context, found.record, found.name, 'archive-path');
    return {stat, archive: explained(output, (error) => explainRead(error, subject))};
  } catch (error) {
    throw explainRead(error, subject);
  }
}

/** A container's root file system as a tar, without what is mounted in it. */
export async function exportContainer(
  context: ContainerContext,
  reference: string,
  signal?: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const explain = (error: unknown) => explainFiles(error, `cannot export container "${reference}"`);
  try {
    const {found, output} = await openContainerFiles(
      context,
      reference,
      (place) => ({kind: 'fileExport', ...place, ...anyTime}),
      {
        signal,
      },
    );
    await publishContainerEvent(context, found.record, found.name, 'export');
    return explained(output, explain);
  } catch (error) {
    throw explain(error);
  }
}

function pathStat({name}: ContainerPath, stat: FileStat | undefined): PathStat {
  if (stat === undefined) throw new TscomposeError('internal', 'the native helper told nothing of the file');
  const {size, mode, seconds, nanoseconds, linkTarget = ''} = stat;
  return {name, size, mode: goFileMode(mode), mtime: rfc3339(seconds, nanoseconds), linkTarget};
}

/** As Go writes it: without zeros at the end of the fraction. */
function rfc3339(seconds: number, nanoseconds: number): string {
  const fraction = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  // Years that the format cannot hold, which a container may set.
  const [earliest, latest] = [-62_167_219_200, 253_402_300_799];
  const shown = Math.min(Math.max(seconds, earliest), latest);
  return `${new Date(shown * 1000).toISOString().slice(0, 19)}${fraction}Z`;
}

async function* explained(
  bytes: AsyncIterable<Uint8Array>,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw explain(error);
  }
}

interface Subject {
  readonly reference: string;
  readonly path: string;
  readonly clean: string;
}

function explainRead(error: unknown, {reference, path, clean}: Subject): TscomposeError {
  return isMissing(error, clean)
    ? missingFile(reference, path)
    : explainFiles(error, `cannot read "${path}" of container "${reference}"`);
}

/** The path itself is not there, as opposed to anything else that the helper could not find. */
export function isMissing(error: unknown, clean: string): boolean {
  const failure = helperFailure(error);
  return failure?.errno === 'ENOENT' && failure.step === clean;
}

export function missingFile(reference: string, path: string): TscomposeError {
  return new TscomposeError('notFound', `Could not find the file ${path} in container ${reference}`);
}

/** Failures of the helper say what they were about; what was meant to be done stands before it. */
export function explainFiles(error: unknown, what: string): TscomposeError {
  const known = toTscomposeError(error);
  if (helperFailure(error) === undefined && known.kind !== 'exhausted') return known;
  return new TscomposeError(known.kind, `${what}: ${known.message}`, {hint: known.hint, cause: known.cause});
}
