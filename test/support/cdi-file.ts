import {randomBytes} from 'node:crypto';
import {mkdirSync, rmdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/** Where every engine looks for CDI files; gone with the machine's next start. */
const directory = '/var/run/cdi';

/** A name that no other test uses, for a kind or a device. */
export function cdiName(): string {
  return `tsc-${randomBytes(4).toString('hex')}`;
}

/** Puts a CDI file where the engines of this machine find it, until it is disposed of. */
export function placeCdiFile(content: object | string, extension: 'json' | 'yaml' = 'json'): Disposable {
  const path = join(directory, `${cdiName()}.${extension}`);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  for (;;) {
    mkdirSync(directory, {recursive: true});
    try {
      writeFileSync(path, text);
      break;
    } catch (error) {
      // Another test took the directory away between the two calls.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return {
    [Symbol.dispose]() {
      rmSync(path, {force: true});
      try {
        rmdirSync(directory);
      } catch {
        // Others have files there.
      }
    },
  };
}
