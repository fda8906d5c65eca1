// Measures how quickly short commands answer: node test/bench/start-up.mjs [ROUNDS]      default 15; a built `dist` is needed
// Processor time beside that of `node -e 0`, interleaved, medians of the rounds; and for completion the time that somebody
// waits, the shortest of the rounds: what else goes on in the machine only adds to it. What an earlier run has kept
// (compiled code, outlines) belongs to a command as it is used.
// One JSON object a line; fails where a figure is above what is promised.
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';

const rounds = Number(process.argv[2] ?? 15);
const project = resolve(import.meta.dirname, '../..');
const base = mkdtempSync(join(tmpdir(), 'tsc-start-up-'));
const env = {
  PATH: process.env.PATH,
  HOME: base,
  LANG: 'C.UTF-8',
  TSCOMPOSE_ROOT: join(base, 'root'),
  TSCOMPOSE_RUN: join(base, 'run'),
};
const node = [process.execPath, '-e', '0'];
const tscompose = (...words) => [process.execPath, join(project, 'dist/cli.cjs'), ...words];
const stack = ['-f', join(project, 'test/bench/twenty.yaml')];
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const figures = [
  {name: 'version', words: tscompose('version'), cpu: 80},
  {name: 'config of 20 services', words: tscompose(...stack, 'config'), cpu: 130},
  {name: 'ps of 20 services, unchanged since they were read', words: tscompose(...stack, 'ps'), cpu: 100},
  {name: 'completion of commands', words: tscompose('__complete', 'st'), cpu: 50, wall: 100},
  {name: 'completion of services', words: tscompose('__complete', ...stack, 'stop', 'w'), cpu: 50, wall: 100},
  {name: 'completion of replicas', words: tscompose('__complete', ...stack, 'logs', '--index', ''), cpu: 80, wall: 100},
];

/** Milliseconds: of the processors, and of whoever waits. */
function take(words) {
  const script = 'exec 3>&2; "$@" >/dev/null 2>&1 || { echo "$* failed" >&3; exit 1; }; times';
  const start = process.hrtime.bigint();
  const text = execFileSync('bash', ['-c', script, 'bash', ...words], {cwd: base, env, encoding: 'utf8'});
  const wall = Number(process.hrtime.bigint() - start) / 1e6;
  const [, line = ''] = text.trim().split('\n');
  const cpu = line.split(' ').reduce((sum, part) => {
    const [, minutes = '0', seconds = '0'] = /(\d+)m([\d.]+)s/.exec(part) ?? [];
    return sum + Number(minutes) * 60_000 + Number(seconds) * 1000;
  }, 0);
  return {cpu, wall};
}

try {
  for (const {words} of figures) for (let run = 0; run < 5; run += 1) take(words);
  const taken = [node, ...figures.map(({words}) => words)].map((words) => ({words, all: []}));
  for (let round = 0; round < rounds; round += 1) for (const {words, all} of taken) all.push(take(words));
  const medians = taken.map(({all}) => ({
    cpu: median(all.map(({cpu}) => cpu)),
    wall: Math.min(...all.map(({wall}) => wall)),
  }));
  const [empty] = medians;
  console.log(JSON.stringify({name: 'node -e 0', cpu: Math.round(empty.cpu), wall: Math.round(empty.wall)}));
  for (const [index, {name, cpu: mostCpu, wall: mostWall = null}] of figures.entries()) {
    const {cpu, wall} = medians[index + 1];
    const over = Math.round(cpu - empty.cpu);
    const ok = over <= mostCpu && (mostWall === null || wall <= mostWall);
    if (!ok) process.exitCode = 1;
    console.log(JSON.stringify({name, cpuOverNode: over, mostCpu, wall: Math.round(wall), mostWall, ok}));
  }
} finally {
  rmSync(base, {recursive: true, force: true});
}
