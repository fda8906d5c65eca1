import {lstat, readlink} from 'node:fs/promises';
import {basename, dirname, resolve} from 'node:path';
import {isGoDevice, isGoDirectory, isGoLink} from '../../api/file-mode.ts';
import type {PathStat} from '../../api/types/archive.ts';
import {hasKind, TscomposeError} from '../../base/errors.ts';
import type {Container} from '../../client/container.ts';
import type {CopyDestination} from './place.ts';

/** What is at a path of a container, undefined for nothing. */
export async function statInContainer(container: Container, path: string): Promise<PathStat | undefined> {
  try {
    return await container.infoArchive({path});
  } catch (error) {
    if (hasKind(error, 'notFound')) return undefined;
    throw error;
  }
}

/** A path of a container that something is copied to. A link stands for what it leads to. Throws `invalid` for a device. */
export async function destinationInContainer(container: Container, path: string): Promise<CopyDestination> {
  const named = await statInContainer(container, path);
  const link = named !== undefined && isGoLink(named.mode) ? named.linkTarget : undefined;
  const stat = link === undefined ? named : await statInContainer(container, link);
  if (stat === undefined) return {path: link ?? path, found: undefined};
  if (isGoDevice(stat.mode))
    throw new TscomposeError('invalid', `cannot copy to "${path}": it must be a directory or a regular file`);
  return {path: link ?? path, found: isGoDirectory(stat.mode) ? 'directory' : 'other'};
}

const linksMax = 40;

/** The same for a path of this machine. Throws `notFound` where the directory above is missing. */
export async function destinationHere(cwd: string, path: string): Promise<CopyDestination> {
  const asserts = /(^|\/)\.?$/.test(path);
  let target = resolve(cwd, path);
  for (let links = 0; links < linksMax; links++) {
    const status = await lstat(target).catch(unlessMissing);
    if (status === undefined) {
      const above = await lstat(dirname(target)).catch(unlessMissing);
      if (above === undefined)
        throw new TscomposeError('notFound', `the directory "${dirname(target)}" does not exist`);
      return {path: asserts ? `${target}/` : target, found: undefined};
    }
    if (status.isDirectory()) return {path: target, found: 'directory'};
    if (!status.isSymbolicLink()) {
      if (!status.isFile())
        throw new TscomposeError('invalid', `cannot copy to "${path}": it must be a directory or a regular file`);
      return {path: asserts ? `${target}/` : target, found: 'other'};
    }
    target = resolve(dirname(target), await readlink(target));
  }
  throw new TscomposeError('invalid', `cannot copy to "${basename(path)}": too many levels of symbolic links`);
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  if (error.code === 'ENOTDIR')
    throw new TscomposeError('invalid', `"${error.path ?? ''}" leads through something that is no directory`);
  throw error;
}
