// Records what Docker Compose answers to `config` for every case of the corpora (test/model/config-cases.mjs):
//   COMPOSE_COMMAND="docker compose" node scripts/record-config.mjs [NAME...]
//   COMPOSE_COMMAND="docker compose" node scripts/record-config.mjs --check [NAME...]
// Without names all are asked; --check compares with what is recorded and writes nothing. The answers lie in one file, a line
// a case; tests compare with them everywhere. No engine is needed. Where a case lies is written as /srv/stack.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {readConfigCases} from '../test/model/config-cases.mjs';

const command = process.env.COMPOSE_COMMAND;
if (command === undefined) {
  console.error('COMPOSE_COMMAND is not set: the command that runs Docker Compose, for example "docker compose"');
  process.exit(64);
}
const [program, ...words] = command.split(' ');
const output = new URL('../test/recorded/config.json', import.meta.url).pathname;

function run(args, options) {
  const result = spawnSync(program, [...words, ...args], {encoding: 'utf8', ...options});
  if (result.error) throw result.error;
  return result;
}

function askedIn(temporary, stack) {
  const directory = join(temporary, 'stack');
  for (const [path, text] of Object.entries(stack.files)) {
    mkdirSync(dirname(join(directory, path)), {recursive: true});
    writeFileSync(join(directory, path), text);
  }
  const cwd = join(directory, stack.directory);
  mkdirSync(cwd, {recursive: true});
  const options = {
    cwd,
    input: stack.input === undefined ? '' : stack.files[stack.input],
    env: {PATH: process.env.PATH, HOME: '/home/someone', ...stack.environment},
  };
  const portable = (text) => text.replaceAll(temporary, '/srv');
  const config = (...format) => run([...stack.arguments, 'config', ...format, ...stack.services], options);
  const json = config('--format', 'json');
  if (json.status === 0) return {exitCode: 0, json: JSON.parse(portable(json.stdout)), yaml: portable(config().stdout)};
  const told = json.stderr.split('\n').filter((line) => !line.startsWith('time='));
  return {exitCode: json.status, message: portable(told.join('\n').trim())};
}

function answerTo(stack) {
  const temporary = mkdtempSync(join(tmpdir(), 'record-config-'));
  try {
    return askedIn(temporary, stack);
  } finally {
    rmSync(temporary, {recursive: true, force: true});
  }
}

const check = process.argv[2] === '--check';
const names = process.argv.slice(check ? 3 : 2);
const compose = run(['version', '--short']).stdout.trim();
const recorded = existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')) : {answers: {}};
const isAsked = ({name}) => names.length === 0 || names.includes(name) || recorded.answers[name] === undefined;
const cases = readConfigCases();
const answers = new Map(cases.filter(isAsked).map((stack) => [stack.name, answerTo(stack)]));

/** Of several problems Compose tells any one: the words of a refusal are no part of the answer. */
function comparable({message: _, ...answer}) {
  return JSON.stringify(answer);
}

if (check) {
  const other = [...answers].filter(
    ([name, answer]) => comparable(answer) !== comparable(recorded.answers[name] ?? {}),
  );
  for (const [name, answer] of other) console.error(`${name}: Compose ${compose} answers ${JSON.stringify(answer)}`);
  console.log(
    `${answers.size} cases asked, ${other.length} are answered otherwise than by Compose ${recorded.compose}`,
  );
  process.exit(other.length === 0 ? 0 : 1);
}

const lines = cases.map(
  ({name}) => ` ${JSON.stringify(name)}: ${JSON.stringify(answers.get(name) ?? recorded.answers[name])}`,
);
const head = `"compose": ${JSON.stringify(compose)}, "recorded": ${JSON.stringify(new Date().toISOString().slice(0, 10))}`;
writeFileSync(output, `{${head}, "answers": {\n${lines.join(',\n')}\n}}\n`);
console.log(`${answers.size} cases recorded with Compose ${compose}`);
