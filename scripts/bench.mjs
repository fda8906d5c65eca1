// Measures tscompose against a real Docker Engine with Compose, in one run, interleaved: npm run bench [ROUNDS]
// Prints a table of medians. The image exits at once on SIGTERM, so that no program's grace is measured.
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {cpus, release} from 'node:os';
import {join} from 'node:path';
import {dockerOverhead, memoryOf, ourOverhead} from '../test/bench/overhead.mjs';
import {ensureImages} from '../test/support/images/make.mjs';
import {oracle, startOracle} from '../test/support/oracle/started.mjs';

const project = new URL('..', import.meta.url).pathname;
const rounds = Number(process.argv[2] ?? 7);
const work = mkdtempSync('/tmp/tsc-bench-');
const namespace = 'tsc-bench';
const cgroupParent = 'tsc-bench';
const environment = {
  ...process.env,
  TSCOMPOSE_ROOT: join(work, 'root'),
  TSCOMPOSE_RUN: '/run/tsc-bench',
  TSCOMPOSE_CGROUP_PARENT: cgroupParent,
};

const stacks = {
  'chain of 3': {
    one: {image: 'quick'},
    two: {image: 'quick', depends_on: ['one']},
    three: {image: 'quick', depends_on: ['two']},
  },
  '10 flat': Object.fromEntries(Array.from({length: 10}, (_, index) => [`s${index}`, {image: 'quick'}])),
  '50 flat': Object.fromEntries(Array.from({length: 50}, (_, index) => [`s${index}`, {image: 'quick'}])),
};

const sides = {
  tscompose: (directory, args) => [
    'nsenter',
    [
      `--net=/run/netns/${namespace}`,
      '--',
      process.execPath,
      join(project, 'dist/cli.cjs'),
      '--progress',
      'quiet',
      ...args,
    ],
    directory,
  ],
  docker: (directory, args) => [oracle, ['compose', '--progress', 'quiet', ...args], directory],
};

/** Wall time in milliseconds. */
function run(side, directory, args) {
  const [program, words, cwd] = sides[side](directory, args);
  const start = process.hrtime.bigint();
  const result = spawnSync(program, words, {cwd, env: environment, encoding: 'utf8'});
  const took = Number(process.hrtime.bigint() - start) / 1e6;
  if (result.status !== 0) throw new Error(`${side} ${args.join(' ')} failed with ${result.status}: ${result.stderr}`);
  return took;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const overhead = {tscompose: () => ourOverhead(cgroupParent, '/bin/quick'), docker: dockerOverhead};

/** Of containers that have come to rest: what only a start needs is given back within the second after it. */
function restingMemory(side) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
  return memoryOf(overhead[side]());
}

let stopOracle = () => {};

function prepare() {
  const archive = ensureImages(['quick'], console.error).quick;
  stopOracle = startOracle(archive);
  spawnSync('ip', ['netns', 'add', namespace]);
  execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  run('tscompose', work, ['load', '-q', '-i', archive]);
  for (const [name, services] of Object.entries(stacks)) {
    const directory = join(work, name.replaceAll(' ', '-'));
    mkdirSync(directory);
    writeFileSync(
      join(directory, 'compose.yaml'),
      JSON.stringify({name: `bench-${name.replaceAll(' ', '-')}`, services}),
    );
  }
}

function measure() {
  const rows = [];
  for (const name of Object.keys(stacks)) {
    const directory = join(work, name.replaceAll(' ', '-'));
    const times = {};
    const memory = {};
    for (let round = 0; round < rounds; round += 1) {
      for (const side of round % 2 === 0 ? ['tscompose', 'docker'] : ['docker', 'tscompose']) {
        times[side] ??= {up: [], again: [], down: []};
        times[side].up.push(run(side, directory, ['up', '-d']));
        times[side].again.push(run(side, directory, ['up', '-d']));
        memory[side] ??= restingMemory(side);
        times[side].down.push(run(side, directory, ['down', '-t', '10']));
        console.error(
          `${name}, round ${round + 1} of ${rounds}, ${side}: up ${Math.round(times[side].up.at(-1))} ms, down ${Math.round(times[side].down.at(-1))} ms`,
        );
      }
    }
    for (const step of ['up', 'again', 'down']) {
      const [ours, theirs] = ['tscompose', 'docker'].map((side) => median(times[side][step]));
      rows.push([
        `${step === 'again' ? 'up, nothing to do' : step}: ${name}`,
        `${Math.round(ours)} ms`,
        `${Math.round(theirs)} ms`,
        (ours / theirs).toFixed(2),
      ]);
    }
    const count = Object.keys(stacks[name]).length;
    for (const kind of ['resident', 'proportional']) {
      const [ours, theirs] = ['tscompose', 'docker'].map((side) => memory[side][kind] / count);
      rows.push([
        `${kind} memory a container: ${name}`,
        `${Math.round(ours)} kB`,
        `${Math.round(theirs)} kB`,
        (ours / theirs).toFixed(2),
      ]);
    }
  }
  return rows;
}

try {
  prepare();
  const rows = measure();
  console.log(`medians of ${rounds}, ${cpus().length} CPUs, Linux ${release()}, Node ${process.version}\n`);
  console.log('| what | tscompose | Docker | ratio |\n|---|---|---|---|');
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
} finally {
  for (const name of Object.keys(stacks)) {
    for (const side of Object.keys(sides)) {
      const [program, words, cwd] = sides[side](join(work, name.replaceAll(' ', '-')), ['down', '-v', '-t', '0']);
      spawnSync(program, words, {cwd, env: environment, stdio: 'ignore'});
    }
  }
  stopOracle();
  spawnSync('ip', ['netns', 'delete', namespace]);
  rmSync(work, {recursive: true, force: true});
  rmSync('/run/tsc-bench', {recursive: true, force: true});
}
