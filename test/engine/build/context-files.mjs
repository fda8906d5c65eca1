// The files of a case, on disk.
import {chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

export function writeFiles(root, files) {
  for (const [path, file] of Object.entries(files)) {
    const place = join(root, path);
    rmSync(place, {recursive: true, force: true});
    if (file === null) continue;
    mkdirSync(dirname(place), {recursive: true});
    if (typeof file === 'string') writeFile(place, Buffer.from(file));
    else if ('link' in file) symlinkSync(file.link, place);
    else if ('hard' in file) linkSync(join(root, file.hard), place);
    else if ('base64' in file) writeFile(place, Buffer.from(file.base64, 'base64'));
    else if ('directory' in file) {
      mkdirSync(place);
      chmodSync(place, file.directory);
    } else writeFile(place, Buffer.from(file.text), file);
  }
}

// The times are old enough for what is kept of a file.
function writeFile(place, bytes, {mode = 0o644, time = 1_700_000_000} = {}) {
  writeFileSync(place, bytes);
  chmodSync(place, mode);
  utimesSync(place, time, time);
}
