// Records what Docker Compose answers to `config` for every stack file of the corpus:
//   COMPOSE_COMMAND="docker compose" node scripts/record-config.mjs [NAME...]
// One file a case under test/recorded/config; tests compare with them everywhere. The corpus's own directory is written as
// {corpus}, so that recordings do not depend on where the repository lies.
import {spawnSync} from 'node:child_process';
import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

const command = process.env.COMPOSE_COMMAND;
if (command === undefined) {
  console.error('COMPOSE_COMMAND is not set: the command that runs Docker Compose, for example "docker compose"');
  process.exit(64);
}
const project = new URL('..', import.meta.url).pathname;
const corpus = join(project, 'test/model/corpus');
const output = join(project, 'test/recorded/config');
const [program, ...words] = command.split(' ');

/** A case's own arguments and environment stand in comments at the head of its file. */
function headerOf(text) {
  const value = (name) => new RegExp(`^# ${name}: (.*)$`, 'm').exec(text)?.[1].split(' ') ?? [];
  return {
    arguments: value('arguments'),
    environment: Object.fromEntries(value('environment').map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
  };
}

function compose(name, args) {
  const header = headerOf(readFileSync(join(corpus, `${name}.yaml`), 'utf8'));
  const result = spawnSync(program, [...words, '-f', `${name}.yaml`, ...header.arguments, ...args], {
    cwd: corpus,
    encoding: 'utf8',
    env: {PATH: process.env.PATH, HOME: '/home/someone', ...header.environment},
  });
  if (result.error) throw result.error;
  const portable = (text) => text.replaceAll(corpus, '{corpus}').replaceAll(dirname(corpus), '{parent}');
  return {exitCode: result.status, output: portable(result.stdout), errors: portable(result.stderr)};
}

const version = spawnSync(program, [...words, 'version', '--short'], {encoding: 'utf8'}).stdout.trim();
const recorded = new Date().toISOString().slice(0, 10);
const all = readdirSync(corpus)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -5));
const names = process.argv.length > 2 ? process.argv.slice(2) : all;
if (process.argv.length === 2) rmSync(output, {recursive: true, force: true});
mkdirSync(output, {recursive: true});
for (const name of names) {
  const json = compose(name, ['config', '--format', 'json']);
  const yaml = compose(name, ['config']);
  const answer =
    json.exitCode === 0
      ? {exitCode: 0, json: JSON.parse(json.output), yaml: yaml.output}
      : {
          exitCode: json.exitCode,
          message: json.errors
            .split('\n')
            .filter((line) => !line.startsWith('time='))
            .join('\n')
            .trim(),
        };
  writeFileSync(join(output, `${name}.json`), `${JSON.stringify({compose: version, recorded, ...answer}, null, 1)}\n`);
}
console.log(`${names.length} cases recorded with Compose ${version}`);
