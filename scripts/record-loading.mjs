// Records what Docker Compose answers to `config` for every case of the loading corpus, whose files lie in one text each:
//   COMPOSE_COMMAND="docker compose" node scripts/record-loading.mjs [NAME...]
// All answers are kept in one file under test/recorded/; tests compare with them everywhere. The directory in which a case is
// laid out for Compose is written as /stack, where the tests have it.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {readCase} from '../test/model/loading-case.mjs';

const command = process.env.COMPOSE_COMMAND;
if (command === undefined) {
  console.error('COMPOSE_COMMAND is not set: the command that runs Docker Compose, for example "docker compose"');
  process.exit(64);
}
const project = new URL('..', import.meta.url).pathname;
const corpus = join(project, 'test/model/loading');
const output = join(project, 'test/recorded/loading.json');
const [program, ...words] = command.split(' ');

function compose(directory, stack, args) {
  const result = spawnSync(program, [...words, ...stack.arguments, ...args], {
    cwd: join(directory, stack.directory),
    encoding: 'utf8',
    input: stack.input === undefined ? '' : stack.files[stack.input],
    env: {PATH: process.env.PATH, HOME: '/home/someone', ...stack.environment},
  });
  if (result.error) throw result.error;
  const portable = (text) => text.replaceAll(directory, '/stack');
  return {exitCode: result.status, output: portable(result.stdout), errors: portable(result.stderr)};
}

function answerOf(name) {
  const stack = readCase(readFileSync(join(corpus, `${name}.case`), 'utf8'));
  const temporary = mkdtempSync(join(tmpdir(), 'record-loading-'));
  const directory = join(temporary, 'stack');
  try {
    for (const [path, text] of Object.entries(stack.files)) {
      mkdirSync(dirname(join(directory, path)), {recursive: true});
      writeFileSync(join(directory, path), text);
    }
    mkdirSync(join(directory, stack.directory), {recursive: true});
    const json = compose(directory, stack, ['config', '--format', 'json', ...stack.config]);
    if (json.exitCode === 0) {
      const yaml = compose(directory, stack, ['config', ...stack.config]);
      return {exitCode: 0, json: JSON.parse(json.output), yaml: yaml.output};
    }
    const lines = json.errors.split('\n').filter((line) => !line.startsWith('time='));
    return {exitCode: json.exitCode, message: lines.join('\n').trim()};
  } finally {
    rmSync(temporary, {recursive: true, force: true});
  }
}

const version = spawnSync(program, [...words, 'version', '--short'], {encoding: 'utf8'}).stdout.trim();
const all = readdirSync(corpus).map((file) => file.replace(/\.case$/, ''));
const names = process.argv.length > 2 ? process.argv.slice(2) : all;
const known = existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')).answers : {};
const answers = {};
for (const name of all.sort()) {
  const answer = names.includes(name) || known[name] === undefined ? answerOf(name) : known[name];
  answers[name] = answer;
}
const recorded = new Date().toISOString().slice(0, 10);
writeFileSync(output, `${JSON.stringify({compose: version, recorded, answers}, null, 1)}\n`);
console.log(`${names.length} cases recorded with Compose ${version}`);
