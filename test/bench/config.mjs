// Measures loading: node test/bench/config.mjs [ROUNDS]         default 7; a built `dist` is needed
// Processor time of `config` beside that of `node -e 0`, for the 300-line stack of 20 services and for a made one of 1,000
// services in 10,000 lines; wall time beside the real Compose, interleaved; 10,000 variables put in place in one process.
// Compose is run by COMPOSE_COMMAND (for example "docker compose"), else by test/support/oracle; `config` needs no engine.
// One JSON object a line; fails where a figure is above what is promised.
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {build} from 'esbuild';

const rounds = Number(process.argv[2] ?? 7);
const project = resolve(import.meta.dirname, '../..');
const base = mkdtempSync(join(tmpdir(), 'tsc-config-'));
const env = {PATH: process.env.PATH, HOME: base, LANG: 'C.UTF-8'};
const ours = [process.execPath, join(project, 'dist/cli.cjs')];
const theirs = process.env.COMPOSE_COMMAND?.split(' ') ?? [join(project, 'test/support/oracle/oracle'), 'compose'];
const twenty = join(project, 'test/bench/twenty.yaml');
const thousand = join(base, 'thousand.yaml');
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
let failed = false;

/** Ten lines a service: what stack files are made of. */
function thousandServices() {
  const service = (index) => `  service-${index}:
    image: registry.example.org/team/service-${index}:1.${index}
    environment:
      LOG_LEVEL: \${LOG_LEVEL:-info}
      PORT: "${8000 + (index % 1000)}"
    ports: ["${10_000 + index}:8080"]
    volumes: ["data-${index % 50}:/data"]
    depends_on: [service-${Math.max(0, index - 1)}]
    restart: unless-stopped
    mem_limit: 256m
`;
  const services = Array.from({length: 1000}, (_, index) => service(index))
    .join('')
    .replace('    depends_on: [service-0]\n', '    init: true\n');
  const volumes = Array.from({length: 50}, (_, index) => `  data-${index}:\n`).join('');
  return `services:\n${services}volumes:\n${volumes}`;
}

/** Processor time of a command in milliseconds, its children's with it. */
function cpuOf(...words) {
  const script = 'exec 3>&2; "$@" >/dev/null 2>&1 || { echo "$* failed" >&3; exit 1; }; times';
  const text = execFileSync('bash', ['-c', script, 'bash', ...words], {cwd: base, env, encoding: 'utf8'});
  const [, line = ''] = text.trim().split('\n');
  return line.split(' ').reduce((sum, part) => {
    const [, minutes = '0', seconds = '0'] = /(\d+)m([\d.]+)s/.exec(part) ?? [];
    return sum + Number(minutes) * 60_000 + Number(seconds) * 1000;
  }, 0);
}

function wallOf(...words) {
  const [program, ...args] = words;
  const start = process.hrtime.bigint();
  execFileSync(program, args, {cwd: base, env, stdio: ['ignore', 'ignore', 'ignore'], maxBuffer: 1e9});
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function tell(name, figures, {value, most}) {
  failed ||= !(value <= most);
  console.log(JSON.stringify({name, ...figures, value: Math.round(value * 100) / 100, most, ok: value <= most}));
}

function overNode(name, file, most) {
  const config = [...ours, '-f', file, 'config'];
  // What an earlier run has kept belongs to a command as it is used.
  for (let index = 0; index < 5; index += 1) cpuOf(...config);
  const taken = {config: [], node: []};
  for (let round = 0; round < rounds; round += 1) {
    taken.node.push(cpuOf(process.execPath, '-e', '0'));
    taken.config.push(cpuOf(...config));
  }
  const [config_, node] = [median(taken.config), median(taken.node)];
  tell(name, {unit: 'CPU-ms over node', config: config_, node}, {value: config_ - node, most});
}

function besideCompose(name, file) {
  const commands = {ours: [...ours, '-f', file, 'config'], theirs: [...theirs, '-f', file, 'config']};
  const taken = {ours: [], theirs: []};
  for (let round = 0; round < rounds; round += 1)
    for (const side of ['ours', 'theirs']) taken[side].push(wallOf(...commands[side]));
  const [mine, compose] = [median(taken.ours), median(taken.theirs)];
  tell(name, {unit: 'times the wall time of Compose', ours: mine, theirs: compose}, {value: mine / compose, most: 1.6});
}

/** In a process that has done nothing before, as a command is. */
async function interpolations() {
  const bundle = join(base, 'interpolations.mjs');
  await build({
    stdin: {
      contents: `
        import {createProblems} from './src/model/problems.ts';
        import {interpolate} from './src/model/stages/interpolate.ts';
        import {scalar} from './src/model/tree.ts';
        const text = 'http://\${HOST}:\${PORT:-8080}/$$x';
        const at = {source: {path: 'x', shown: 'x', text}, start: 0, end: text.length};
        const items = Array.from({length: 5000}, () => scalar(text, at));
        const values = new Map([['HOST', 'db']]);
        const problems = createProblems();
        const start = process.cpuUsage();
        const tree = interpolate({kind: 'sequence', items, at}, {lookup: (name) => values.get(name), problems});
        const {user, system} = process.cpuUsage(start);
        if (tree.items.some(({value}) => value !== 'http://db:8080/$x')) throw new Error('wrong result');
        console.log((user + system) / 1000);
      `,
      resolveDir: project,
      loader: 'ts',
    },
    bundle: true,
    outfile: bundle,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
  const run = () => Number(execFileSync(process.execPath, ['--no-opt', bundle], {encoding: 'utf8'}));
  const value = median(Array.from({length: rounds}, run));
  tell('10,000 interpolations', {unit: 'CPU-ms'}, {value, most: 50});
}

try {
  writeFileSync(thousand, thousandServices());
  overNode('config of 20 services in 300 lines', twenty, 130);
  overNode('config of 1,000 services in 10,000 lines', thousand, 1200);
  besideCompose('20 services beside Compose', twenty);
  besideCompose('1,000 services beside Compose', thousand);
  await interpolations();
} finally {
  rmSync(base, {recursive: true, force: true});
}
if (failed) process.exitCode = 1;
