import {mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';

/** A directory for one test, removed at its end. */
export interface TemporaryDirectory extends Disposable {
  readonly path: string;
  at(path: string): string;
  /** Writes a file, with the directories on the way. */
  write(path: string, content: string): void;
}

export function temporaryDirectory(): TemporaryDirectory {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'tsc-watch-')));
  const at = (name: string): string => join(path, name);
  return {
    path,
    at,
    write(name, content) {
      mkdirSync(dirname(at(name)), {recursive: true});
      writeFileSync(at(name), content);
    },
    [Symbol.dispose]: () => rmSync(path, {recursive: true, force: true}),
  };
}
