import {constants} from 'node:fs';
import {type FileHandle, mkdir, open} from 'node:fs/promises';

/**
 * A directory of this machine that is held open. Whoever can rename what leads to it (a container may have it mounted)
 * changes nothing about which one it is: everything in it is named by its descriptor.
 */
export interface HeldDirectory extends AsyncDisposable {
  readonly handle: FileHandle;
  /** The path of an entry, whose name has no slash. The entry itself may be a link. */
  at(name: string): string;
  /** A directory in it; a link is none (`ENOTDIR`, `ELOOP`). With `make`, a missing one is made. */
  open(name: string, options?: {readonly make?: boolean}): Promise<HeldDirectory>;
}

const flags = constants.O_RDONLY | constants.O_DIRECTORY;

/** Links on the way to the directory are followed: it was named by a person. */
export async function holdDirectory(path: string): Promise<HeldDirectory> {
  return held(await open(path, flags));
}

function held(handle: FileHandle): HeldDirectory {
  const at = (name: string) => `/proc/self/fd/${handle.fd}/${name}`;
  return {
    handle,
    at,
    async open(name, {make = false} = {}) {
      if (make) {
        await mkdir(at(name), {mode: 0o755}).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        });
      }
      return held(await open(at(name), flags | constants.O_NOFOLLOW));
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
