import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
  createReadStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';

/** Bytes of files in each layer. */
const layerBytes = 42_000_000;
const layerCount = 6;

/**
 * An archive of an image of 250 MB in six layers, which have files of this machine: libraries, programs, many small texts.
 * @param {string} work
 * @param {string} name
 */
export async function makeSampleImage(work, name) {
  const directory = join(work, 'sample');
  mkdirSync(directory, {recursive: true});
  const layers = [];
  for (const [index, files] of chooseFiles().entries()) {
    const list = join(directory, 'list');
    const layer = join(directory, `layer-${index}.tar`);
    writeFileSync(list, files.join('\0'));
    execFileSync('tar', ['-C', '/', '-cf', layer, '--no-recursion', '--null', '-T', list]);
    const digest = await digestOf(layer);
    const last = join(directory, `${digest}.tar`);
    renameSync(layer, last);
    layers.push({file: `${digest}.tar`, digest: `sha256:${digest}`});
  }
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
    os: 'linux',
    config: {Cmd: ['true']},
    rootfs: {type: 'layers', diff_ids: layers.map(({digest}) => digest)},
  };
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  const manifest = [{Config: 'config.json', RepoTags: [name], Layers: layers.map(({file}) => file)}];
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(work, 'sample.tar');
  const members = ['manifest.json', 'config.json', ...layers.map(({file}) => file)];
  execFileSync('tar', ['-C', directory, '-cf', archive, ...members]);
  const packed = join(work, 'layer.tar.gz');
  execFileSync('sh', ['-c', 'gzip -c "$1" >"$2"', 'sh', join(directory, layers[0].file), packed]);
  rmSync(directory, {recursive: true});
  return {archive, packed, bytes: statSync(archive).size};
}

/** Of each layer the paths beneath the root, directories before what is in them, as builders write them. */
function chooseFiles() {
  const layers = [];
  let layer = new Set();
  let bytes = 0;
  for (const {path, size} of walk('usr')) {
    for (const directory of directoriesAbove(path)) layer.add(directory);
    layer.add(path);
    bytes += size;
    if (bytes < layerBytes) continue;
    layers.push([...layer]);
    if (layers.length === layerCount) return layers;
    layer = new Set();
    bytes = 0;
  }
  throw new Error(`/usr has less than ${layerCount * layerBytes} bytes`);
}

function directoriesAbove(path) {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

/** Nothing large: an image has few such files. */
function* walk(directory) {
  yield {path: directory, size: 0};
  for (const entry of readdirSync(join('/', directory), {withFileTypes: true}).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isSymbolicLink()) yield {path, size: 0};
    else if (entry.isFile()) {
      const {size} = lstatSync(join('/', path));
      if (size < layerBytes / 4) yield {path, size};
    }
  }
}

async function digestOf(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, {highWaterMark: 1 << 20})) hash.update(chunk);
  return hash.digest('hex');
}
