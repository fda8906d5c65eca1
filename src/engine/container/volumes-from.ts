import {hasKind, TscomposeError} from '../../base/errors.ts';
import type {Layout} from '../layout.ts';
import type {InheritedMount} from './parse-mounts.ts';
import type {RecordedMount} from './record.ts';
import {findContainer} from './reference.ts';

/**
 * What `VolumesFrom` (`CONTAINER[:ro|rw]`) asks for: the volumes, bind mounts and images of other containers, at their places; the
 * later one counts. Memory is nobody else's. Throws `invalid`.
 */
export async function inheritedMounts(layout: Layout, sources: readonly string[]): Promise<readonly InheritedMount[]> {
  const mounts = new Map<string, InheritedMount>();
  for (const source of sources) {
    const {reference, readOnly} = parseSource(source);
    const {record} = await findContainer(layout, reference).catch((error: unknown) => {
      if (error instanceof TscomposeError && hasKind(error, 'notFound'))
        throw new TscomposeError('invalid', error.message, {cause: error});
      throw error;
    });
    for (const mount of record.mounts) {
      const inherited = inherit(mount, readOnly);
      if (inherited !== undefined) mounts.set(inherited.target, inherited);
    }
  }
  return [...mounts.values()];
}

/** The mode is of Docker's short form of a bind; labels of SELinux have no meaning here. */
function parseSource(source: string): {readonly reference: string; readonly readOnly: boolean} {
  if (source === '') throw new TscomposeError('invalid', 'volumes-from specification cannot be an empty string');
  const at = source.indexOf(':');
  const mode = at < 0 ? '' : source.slice(at + 1);
  const words = new Set(mode.split(',').filter((word) => word !== ''));
  const readOnly = words.delete('ro');
  const readWrite = words.delete('rw');
  const labels = [words.delete('z'), words.delete('Z')].filter(Boolean).length;
  if (words.size > 0 || labels > 1 || (readOnly && readWrite))
    throw new TscomposeError('invalid', `invalid mode: ${mode}`);
  return {reference: at < 0 ? source : source.slice(0, at), readOnly};
}

/** One that was read-only there stays so. It is filled already, or is to be as it is. */
function inherit(mount: RecordedMount, readOnly: boolean): InheritedMount | undefined {
  switch (mount.kind) {
    case 'tmpfs':
      return undefined;
    case 'bind':
      return {...mount, readOnly: mount.readOnly || readOnly, mode: '', mustExist: false};
    case 'volume':
      return {...mount, readOnly: mount.readOnly || readOnly, copy: false, mode: '', inherited: true};
    case 'image':
      return mount;
  }
}
