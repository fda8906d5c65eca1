// Records what Docker Compose answers to `config` for every row of the table of attributes:
//   COMPOSE_COMMAND="docker compose" node scripts/record-attributes.mjs [PATH...]
// For each the value at its path, of the first file alone and of both. Tests compare with them everywhere. The directory in
// which a row is laid out is written as /stack, where the tests have it.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {environment, filesOf, readRows, valueAt} from '../test/model/attributes/attribute-row.mjs';

const command = process.env.COMPOSE_COMMAND;
if (command === undefined) {
  console.error('COMPOSE_COMMAND is not set: the command that runs Docker Compose, for example "docker compose"');
  process.exit(64);
}
const [program, ...words] = command.split(' ');

function config(directory, files, profiles) {
  const args = [...files.flatMap((file) => ['-f', file]), ...profiles.flatMap((name) => ['--profile', name])];
  const result = spawnSync(program, [...words, ...args, 'config', '--format', 'json'], {
    cwd: directory,
    encoding: 'utf8',
    env: {PATH: process.env.PATH, ...environment},
  });
  if (result.error) throw result.error;
  const portable = (text) => text.replaceAll(directory, '/stack');
  if (result.status === 0) return {ok: true, config: JSON.parse(portable(result.stdout))};
  const lines = portable(result.stderr).split('\n');
  return {ok: false, refused: lines.find((line) => line !== '' && !line.startsWith('time=')) ?? ''};
}

function answerOf(path, row) {
  const temporary = mkdtempSync(join(tmpdir(), 'record-attributes-'));
  const directory = join(temporary, 'stack');
  try {
    mkdirSync(directory);
    for (const [name, text] of Object.entries(filesOf(row))) writeFileSync(join(directory, name), text);
    const answer = (files) => {
      const {ok, config: all, refused} = config(directory, files, row.profiles ?? []);
      return ok ? {value: valueAt(all, path)} : {refused};
    };
    return {expanded: answer(['first.yaml']), merged: answer(['first.yaml', 'second.yaml'])};
  } finally {
    rmSync(temporary, {recursive: true, force: true});
  }
}

const output = new URL('../test/recorded/attributes.json', import.meta.url);
const version = spawnSync(program, [...words, 'version', '--short'], {encoding: 'utf8'}).stdout.trim();
const named = process.argv.slice(2);
const known = named.length > 0 && existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')).rows : {};
const rows = {};
let count = 0;
for (const [path, row] of readRows()) {
  const wanted = named.length === 0 || named.includes(path);
  if (wanted) count += 1;
  rows[path] = wanted || known[path] === undefined ? answerOf(path, row) : known[path];
}
const text = JSON.stringify({compose: version, recorded: new Date().toISOString().slice(0, 10), rows}, null, 1);
writeFileSync(output, `${text}\n`);
console.log(`${count} rows recorded with Compose ${version}`);
