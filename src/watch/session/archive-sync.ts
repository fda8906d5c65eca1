import {TscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {FileSync} from './engine.ts';
import {runHook} from './exec-hook.ts';
import {type ArchiveOwner, syncArchive} from './sync-archive.ts';

type Engine = Pick<Docker, 'getContainer'>;

/**
 * For an engine that has no request for it: files go by an archive, deletions by `rm` in the running container. It is not
 * all or nothing, deletions need an image with `rm`, and what was synced is forgotten with the session.
 */
export function archiveSync(engine: Engine): FileSync {
  const owners = new Map<string, Promise<Owner>>();
  const ownerOf = (container: string): Promise<Owner> => {
    const known = owners.get(container) ?? findOwner(engine, container);
    owners.set(container, known);
    return known;
  };
  return {
    synced: async () => ({v: 1, files: {}}),
    async sync(container, changes, signal) {
      const deletes = changes.flatMap((change) => (change.kind === 'delete' ? [change.path] : []));
      const puts = changes.filter(({kind}) => kind === 'put');
      if (deletes.length > 0) await remove(engine, {container, paths: deletes, signal});
      if (puts.length > 0) {
        const {ids, byEngine} = await ownerOf(container);
        await engine.getContainer(container).putArchive(syncArchive(puts, ids), {
          path: '/',
          copyUIDGID: byEngine,
          abortSignal: signal,
        });
      }
      return {written: puts.length, deleted: deletes.length};
    },
  };
}

interface Owner {
  readonly ids?: ArchiveOwner;
  /** The engine finds the ids of a user's name; given numbers it fails where the image does not list them. */
  readonly byEngine: boolean;
}

async function findOwner(engine: Engine, container: string): Promise<Owner> {
  const user = (await engine.getContainer(container).inspect()).Config.User ?? '';
  const [, uid, gid = '0'] = /^(\d+)(?::(\d+))?$/.exec(user) ?? [];
  if (uid === undefined) return {byEngine: user !== ''};
  return {ids: {uid: Number(uid), gid: Number(gid)}, byEngine: false};
}

/** Arguments of a program have a limit of their own; far below it. */
const pathsAtOnce = 500;

interface Removal {
  readonly container: string;
  readonly paths: readonly string[];
  readonly signal: AbortSignal;
}

async function remove(engine: Engine, {container, paths, signal}: Removal): Promise<void> {
  for (let next = 0; next < paths.length; next += pathsAtOnce) {
    const command = ['rm', '-rf', '--', ...paths.slice(next, next + pathsAtOnce)];
    const result = await runHook(engine, container, {command, user: '0'}, signal);
    if (result === undefined) {
      throw new TscomposeError('conflict', 'this engine deletes files only in a container that runs', {
        hint: 'start it, and what is pending follows',
      });
    }
    if (result.exitCode === 0) continue;
    const reason = result.output.at(-1) ?? `"rm" ended with exit code ${result.exitCode}`;
    throw new TscomposeError('conflict', `cannot delete files in the container: ${reason}`, {
      hint: 'this engine needs "rm" in the image for it; the built-in one does not',
    });
  }
}
