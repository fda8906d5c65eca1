import {lstat, realpath} from 'node:fs/promises';
import {basename, dirname, join, posix, resolve} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {isGoDirectory, isGoLink} from '../../api/file-mode.ts';
import {exitCodes, hasKind, TscomposeError} from '../../base/errors.ts';
import type {Container} from '../../client/container.ts';
import type {Docker} from '../../client/docker.ts';
import type {CliContext} from '../context.ts';
import {destinationHere, destinationInContainer, statInContainer} from '../copy/destinations.ts';
import {extractLocal} from '../copy/extract-local.ts';
import {localArchive} from '../copy/local-archive.ts';
import {type CopySource, placeCopy} from '../copy/place.ts';
import type {Input} from '../flags.ts';
import {listProjectContainers, onlyReplica, type ProjectContainer} from '../project-containers.ts';
import {withStackNames} from '../session.ts';

export function runCp(context: CliContext, {args, flags}: Input<'cp'>): Promise<number> {
  const [from, to, ...more] = args;
  if (from === undefined || to === undefined || more.length > 0) throw usage('cp needs a source and a destination');
  const [source, destination] = [parseCopyArgument(from), parseCopyArgument(to)];
  if (source.service !== undefined && destination.service !== undefined)
    throw usage('cp copies between this machine and a service, not between services');
  const service = source.service ?? destination.service;
  if (service === undefined) throw usage('neither the source nor the destination names a service');
  // Not the directory one is in: that is what a variable that is not set would copy, or write to.
  if (source.path === '') throw usage(`the source "${from}" has no path`);
  if (destination.path === '') throw usage(`the destination "${to}" has no path`);
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const replicas = await listProjectContainers(docker, {
      project: name,
      services: [service],
      all: true,
      oneOffs: flags.all,
      known: knownServices,
    });
    const containers = onlyReplica(replicas, flags.index);
    if (containers.length === 0)
      throw new TscomposeError('notFound', `service "${service}" has no container`, {
        hint: `create it with "tscompose up --no-start ${service}"`,
      });
    const paths = {source: source.path, destination: destination.path, follow: flags['follow-link']};
    if (source.service !== undefined) await copyOut(context, containerOf(docker, containers), paths);
    else await copyIn(context, docker, {...paths, containers, owned: flags.archive});
    return 0;
  });
}

function usage(message: string): TscomposeError {
  return new TscomposeError('invalid', message, {
    exitCode: exitCodes.usage,
    hint: 'for example: tscompose cp web:/var/log/app.log .',
  });
}

/** `SERVICE:PATH`, or a path of this machine: one that starts with `/` or `.`, or has no colon. */
function parseCopyArgument(text: string): {readonly service?: string; readonly path: string} {
  const colon = text.indexOf(':');
  if (colon < 1 || text.startsWith('/') || text.startsWith('.')) return {path: text};
  return {service: text.slice(0, colon), path: text.slice(colon + 1)};
}

interface Paths {
  readonly source: string;
  readonly destination: string;
  readonly follow: boolean;
}

/** By its name, which is what the engine's words about it then say. */
function containerOf(docker: Docker, [first]: readonly ProjectContainer[]): Container {
  return docker.getContainer(first?.name ?? '');
}

/** From the first replica. */
async function copyOut(context: CliContext, container: Container, paths: Paths): Promise<void> {
  const {source, destination, follow} = paths;
  const toOutput = destination === '-';
  if (toOutput && context.stdout.isTTY === true)
    throw usage('an archive is not written to a terminal: name a file or pipe it into tar');
  const here = toOutput ? undefined : await destinationHere(context.cwd, destination);
  const linked = follow ? await linkTarget(container, source) : undefined;
  const {stat, archive} = await container.getArchive({path: linked ?? source});
  if (here === undefined) {
    await pipeline(archive, context.stdout, {end: false});
    return;
  }
  const name = linked === undefined ? stat.name : posix.basename(source);
  const place = placeCopy({name, directory: isGoDirectory(stat.mode)}, here);
  await extractLocal(archive, {
    root: stat.name,
    place,
    onSkipped: (skipped) => {
      if (skipped === stat.name)
        throw new TscomposeError('invalid', `cannot copy "${source}": it is a device or a pipe`);
      context.stderr.write(`warning: left out "${skipped}": a device or a pipe\n`);
    },
  });
}

/** Where a link of the container leads; undefined for anything else. */
async function linkTarget(container: Container, path: string): Promise<string | undefined> {
  const stat = await statInContainer(container, path);
  return stat !== undefined && isGoLink(stat.mode) ? stat.linkTarget : undefined;
}

interface CopyIn extends Paths {
  readonly containers: readonly ProjectContainer[];
  readonly owned: boolean;
}

/** To every replica. */
async function copyIn(context: CliContext, docker: Docker, copy: CopyIn): Promise<void> {
  const {containers, source, destination} = copy;
  if (source === '-' && containers.length > 1)
    throw usage('standard input can be copied to one replica only: name it with --index');
  if (source === '-' && context.stdin.isTTY === true) throw usage('nothing to copy: standard input is a terminal');
  const local = source === '-' ? undefined : await findLocal(context.cwd, source, copy.follow);
  for (const replica of containers) {
    const container = containerOf(docker, [replica]);
    const found = await destinationInContainer(container, destination);
    if (local === undefined && found.found !== 'directory')
      throw new TscomposeError(
        'invalid',
        `cannot unpack standard input to "${replica.name}:${destination}": it must be a directory`,
      );
    const place = local === undefined ? {directory: found.path, name: ''} : placeCopy(local, found);
    const archive = local === undefined ? context.stdin : localArchive(local.path, place.name);
    await container.putArchive(archive, {
      path: place.directory,
      noOverwriteDirNonDir: true,
      copyUIDGID: copy.owned,
    });
  }
}

interface LocalSource extends CopySource {
  readonly path: string;
}

/** A link is copied as a link, unless it is to be followed or a slash stands behind it. */
async function findLocal(cwd: string, source: string, follow: boolean): Promise<LocalSource> {
  const dot = /(^|\/)\.\/*$/.test(source);
  const path = resolve(cwd, source);
  try {
    const real =
      follow || dot || source.endsWith('/')
        ? await realpath(path)
        : join(await realpath(dirname(path)), basename(path));
    const directory = (await lstat(real)).isDirectory();
    if (!directory && (dot || source.endsWith('/')))
      throw new TscomposeError('invalid', `cannot copy "${source}": it is no directory`);
    return {path: real, name: dot ? '.' : path === '/' ? '/' : basename(path), directory};
  } catch (error) {
    if (hasKind(error, 'invalid')) throw error;
    const {code} = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'permission denied' : String(code);
    throw new TscomposeError(code === 'EACCES' ? 'forbidden' : 'notFound', `cannot copy "${source}": ${reason}`);
  }
}
