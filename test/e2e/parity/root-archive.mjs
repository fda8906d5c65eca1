import {execFileSync} from 'node:child_process';
import {closeSync, openSync} from 'node:fs';

/** Writes the only layer of a docker-archive to a file: a root file system to import images with other settings from. */
export function writeRootArchive(archive, path) {
  const [{Layers: layers}] = JSON.parse(execFileSync('tar', ['-xOf', archive, 'manifest.json'], {encoding: 'utf8'}));
  if (layers.length !== 1) throw new Error(`${archive} has ${layers.length} layers`);
  const file = openSync(path, 'w');
  try {
    execFileSync('tar', ['-xOf', archive, layers[0]], {stdio: ['ignore', file, 'inherit']});
  } finally {
    closeSync(file);
  }
}
