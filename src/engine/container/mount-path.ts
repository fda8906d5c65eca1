import {posix} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';

/** Says where a reason belongs: `invalid mount config for type "bind": …`. */
export type Explain = (reason: string) => TscomposeError;

/** Without `..`, doubled and closing slashes. */
export function cleanPath(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/+$/, '');
}

/** A place in the container. Throws `invalid`. */
export function parseTarget(target: string, explain: Explain = plain): string {
  if (!target.startsWith('/')) throw explain(`invalid mount path: '${target}' mount path must be absolute`);
  const path = cleanPath(target);
  if (path === '/') throw explain("invalid specification: destination can't be '/'");
  return path;
}

function plain(reason: string): TscomposeError {
  return new TscomposeError('invalid', reason);
}

/** Throws `invalid`. */
export function checkVolumeName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return name;
  const reason =
    name.length === 1
      ? 'volume name is too short, names should be at least two alphanumeric characters'
      : `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`;
  throw new TscomposeError('invalid', `create ${name}: ${reason}`);
}

/** Inside a volume or an image: relative, and nowhere above it. Throws `invalid`. */
export function parseSubpath(subpath: string, explain: Explain): string {
  const path = posix.normalize(subpath);
  if (path.startsWith('/') || path === '..' || path.startsWith('../') || subpath.includes('\0'))
    throw explain('subpath must be a relative path within the volume');
  return path.replace(/\/+$/, '');
}
