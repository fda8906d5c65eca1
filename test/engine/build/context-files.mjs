// The files of a case, on disk.
import {chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

export function writeFiles(root, files) {
  for (const [path, file] of Object.entries(files)) {
    const place = join(root, path);
    rmSync(place, {recursive: true, force: true});
    if (file === null) continue;
    mkdirSync(dirname(place), {recursive: true});
    if (typeof file === 'object' && 'link' in file) symlinkSync(file.link, place);
    else if (typeof file === 'object' && 'directory' in file) {
      mkdirSync(place);
      chmodSync(place, file.directory);
    } else {
      const {text, mode = 0o644} = typeof file === 'string' ? {text: file} : file;
      writeFileSync(place, text);
      chmodSync(place, mode);
      // Old enough for what is kept of it.
      utimesSync(place, 1_700_000_000, 1_700_000_000);
    }
  }
}
