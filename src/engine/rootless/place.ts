import {existsSync} from 'node:fs';
import {isAbsolute, join} from 'node:path';

/** What decides where a user's engine keeps everything. */
export interface UserPlace {
  readonly userId: number;
  /** HOME. */
  readonly home: string | undefined;
  /** XDG_DATA_HOME and XDG_RUNTIME_DIR; what is not absolute does not count (XDG Base Directory Specification). */
  readonly dataHome: string | undefined;
  readonly runtimeDirectory: string | undefined;
}

const rootOfMachine = '/var/lib/tscompose';

/** The root where none is given: the machine's for root, else one in the user's home. */
export function defaultRoot({userId, home, dataHome}: UserPlace): string {
  if (userId === 0) return rootOfMachine;
  if (dataHome !== undefined && isAbsolute(dataHome)) return join(dataHome, 'tscompose');
  return join(home !== undefined && isAbsolute(home) ? home : `/home/${userId}`, '.local/share/tscompose');
}

/** Where volatile state is. A user without a runtime directory has it in the root: state of another boot does not count. */
export function defaultRun(place: UserPlace, root: string, rootHash: string): string {
  const name = root === defaultRoot(place) ? 'tscompose' : `tscompose-${rootHash}`;
  if (place.userId === 0) return join('/run', name);
  const {runtimeDirectory} = place;
  if (runtimeDirectory !== undefined && isAbsolute(runtimeDirectory)) return join(runtimeDirectory, name);
  const usual = `/run/user/${place.userId}`;
  return existsSync(usual) ? join(usual, name) : join(root, 'run');
}
