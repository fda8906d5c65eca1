import {realpath, stat} from 'node:fs/promises';
import {posix} from 'node:path';
import type {DeviceMapping} from '../../../api/types/container.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {devicesBelow} from './machine-devices.ts';
import {type DeviceNode, readNode} from './node.ts';

/** Everything about a mapping that can be wrong without looking at the machine. Throws `invalid`. */
export function checkMapping({
  PathOnHost = '',
  PathInContainer = '',
  CgroupPermissions = '',
}: Partial<DeviceMapping>): void {
  const where = `device mapping ${JSON.stringify(PathOnHost)}`;
  for (const path of [PathOnHost, PathInContainer]) {
    if (!path.startsWith('/') || path.includes('\0'))
      throw new TscomposeError('invalid', `${where}: ${JSON.stringify(path)} is not an absolute path`);
  }
  if (!/^[rwm]{1,3}$/.test(CgroupPermissions)) {
    throw new TscomposeError('invalid', `${where}: bad mode specified: ${JSON.stringify(CgroupPermissions)}`, {
      hint: 'it is of r (read), w (write) and m (make nodes)',
    });
  }
}

/** The devices that a mapping means: one, or all in a directory; a link is followed. Throws `invalid`, in Docker's words. */
export async function mappedDevices({PathOnHost, PathInContainer}: DeviceMapping): Promise<readonly DeviceNode[]> {
  const target = posix.resolve(PathInContainer);
  try {
    const source = await realpath(PathOnHost);
    if (!(await stat(source)).isDirectory()) {
      const node = await readNode(source, target);
      if (node !== undefined) return [node];
    } else {
      const nodes = await devicesBelow(source, target);
      if (nodes.length > 0) return nodes;
    }
  } catch (error) {
    throw unreadable(PathOnHost, reasonOf(error), error);
  }
  throw unreadable(PathOnHost, 'not a device node');
}

function unreadable(path: string, reason: string, cause?: unknown): TscomposeError {
  return new TscomposeError(
    'invalid',
    `error gathering device information while adding custom device ${JSON.stringify(path)}: ${reason}`,
    {cause, hint: 'name a device of the machine, or a directory of devices'},
  );
}

function reasonOf(error: unknown): string {
  const {code, message} = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'no such file or directory' : message;
}
