// Measures the developer's loop against a real Docker Compose, in one run, interleaved, on equal stacks:
//   node test/bench/watch.mjs [ROUNDS]
// from a save until the file is visible in the container, and until a restarted process serves it. Prints a table, and
// fails where what watching promises is not met: visible within 40 ms and 0.15 of Compose's time, serving within 0.4.
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {cpus, release} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as delay} from 'node:timers/promises';
import {ensureImages} from '../support/images/make.mjs';
import {oracle, startOracle} from '../support/oracle/started.mjs';

const project = new URL('../..', import.meta.url).pathname;
const rounds = Number(process.argv[2] ?? 15);
const work = mkdtempSync('/tmp/tsc-bench-');
const namespace = 'tsc-bench-watch';
const environment = {
  ...process.env,
  TSCOMPOSE_ROOT: join(work, 'root'),
  TSCOMPOSE_RUN: '/run/tsc-bench-watch',
  TSCOMPOSE_CGROUP_PARENT: 'tsc-bench-watch',
};

/** `files` only gets its file. `web` is restarted, ends at once when it is told to, and serves what it found at its start. */
const stack = (side) => `name: bench-watch
services:
  files:
    image: busybox
    command: [sleep, "${marks[side]}"]
    stop_grace_period: 1s
    develop: {watch: [{path: ./files, action: sync, target: /app}]}
  web:
    image: busybox
    command:
      - sh
      - -c
      - trap 'exit 0' TERM; mkdir -p /www /app; cp /app/value /www/value; httpd -f -p 8000 -h /www & wait
    ports: ["127.0.0.1:18321:8000"]
    develop: {watch: [{path: ./web, action: sync+restart, target: /app}]}
`;
/** By these arguments the processes are found. */
const marks = {tscompose: '8640001', docker: '8640002'};

const sides = {
  tscompose: {
    words: (args) => ['nsenter', [`--net=/run/netns/${namespace}`, '--', process.execPath, cli, ...args]],
    namespace: () => `/run/netns/${namespace}`,
    ready: /^watching /m,
  },
  docker: {
    words: (args) => [oracle, ['compose', ...args]],
    namespace: () => `/proc/${enginePid()}/ns/net`,
    ready: /Watch enabled/,
  },
};
const cli = join(project, 'dist/cli.cjs');
const directoryOf = (side) => join(work, side);

function run(side, args, options = {}) {
  const [program, words] = sides[side].words(args);
  const result = spawnSync(program, words, {cwd: directoryOf(side), env: environment, encoding: 'utf8', ...options});
  if (result.status !== 0) throw new Error(`${side} ${args.join(' ')} failed with ${result.status}: ${result.stderr}`);
}

const readOr = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const pidWhere = (matches) => readdirSync('/proc').find((name) => /^\d+$/.test(name) && matches(name));
const commandLine = (pid) => readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

function enginePid() {
  const socket = execFileSync(oracle, ['socket'], {encoding: 'utf8'}).trim();
  return pidWhere((pid) => readOr(`/proc/${pid}/comm`) === 'dockerd\n' && commandLine(pid).includes(socket));
}

/** Asks again and again, from where the engine's ports are, until the awaited text is served; then says when. */
const prober = `
import {get} from 'node:http';
import {createInterface} from 'node:readline';
const ask = () => new Promise((resolve) => {
  const request = get({host: '127.0.0.1', port: 18321, path: '/value', agent: false, timeout: 500}, (response) => {
    let text = '';
    response.on('data', (piece) => { text += piece; });
    response.on('end', () => resolve(text));
    response.on('error', () => resolve(''));
  });
  request.on('error', () => resolve(''));
  request.on('timeout', () => request.destroy());
});
for await (const wanted of createInterface({input: process.stdin})) {
  while ((await ask()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 1));
  console.log(Date.now());
}
`;

function startProber(side) {
  const words = [`--net=${sides[side].namespace()}`, '--', process.execPath, '--input-type=module', '-e', prober];
  const child = spawn('nsenter', words, {stdio: ['pipe', 'pipe', 'inherit']});
  const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
  return {
    async serves(text) {
      child.stdin.write(`${text}\n`);
      return Number((await within(lines.next(), 30_000, `${side} to serve ${text}`)).value);
    },
    stop: () => child.kill(),
  };
}

function within(promise, ms, what) {
  const late = delay(ms, undefined, {ref: false}).then(() => {
    throw new Error(`waited in vain for ${what}`);
  });
  return Promise.race([promise, late]);
}

let stopOracle = () => {};

function prepare() {
  const archive = ensureImages(['busybox'], console.error).busybox;
  stopOracle = startOracle(archive);
  execFileSync('ip', ['netns', 'add', namespace]);
  execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  for (const side of Object.keys(sides)) {
    for (const service of ['files', 'web']) mkdirSync(join(directoryOf(side), service), {recursive: true});
    writeFileSync(join(directoryOf(side), 'compose.yaml'), stack(side));
  }
  run('tscompose', ['load', '-q', '-i', archive]);
  for (const side of Object.keys(sides)) run(side, ['up', '-d']);
}

/** The command that watches, once it does. */
async function startWatching(side) {
  const [program, words] = sides[side].words(['watch', '--no-up']);
  const child = spawn(program, words, {
    cwd: directoryOf(side),
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: a script that runs the command would keep a signal for itself.
    detached: true,
  });
  children.push({kill: () => child.exitCode === null && process.kill(-child.pid, 'SIGINT')});
  let text = '';
  const ready = new Promise((resolve, reject) => {
    const read = (piece) => {
      text += piece;
      if (sides[side].ready.test(text)) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`${side} watch ended with ${code}: ${text}`)));
  });
  await within(ready, 20_000, `${side} to watch`);
}

async function visibleAfter(side, value) {
  const root = `/proc/${pidWhere((pid) => commandLine(pid) === `sleep ${marks[side]}`)}/root/app/value`;
  const begin = performance.now();
  writeFileSync(join(directoryOf(side), 'files/value'), value);
  while (readOr(root) !== value) {
    if (performance.now() - begin > 30_000) throw new Error(`${side} does not bring the file`);
    await delay(1);
  }
  return performance.now() - begin;
}

async function servingAfter(side, value, prober) {
  const begin = Date.now();
  writeFileSync(join(directoryOf(side), 'web/value'), value);
  return (await prober.serves(value)) - begin;
}

const rank = (values, part) => [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(part * values.length) - 1)];

const children = [];
try {
  prepare();
  const probers = {};
  for (const side of Object.keys(sides)) {
    await startWatching(side);
    probers[side] = startProber(side);
    children.push({kill: probers[side].stop});
  }
  const times = {visible: {tscompose: [], docker: []}, serving: {tscompose: [], docker: []}};
  // The first save of each is not counted: programs are read, connections made.
  for (let round = 0; round <= rounds; round += 1) {
    for (const side of round % 2 === 0 ? ['tscompose', 'docker'] : ['docker', 'tscompose']) {
      const visible = await visibleAfter(side, `visible ${round}`);
      await delay(700);
      const serving = await servingAfter(side, `serving ${round}`, probers[side]);
      await delay(700);
      if (round === 0) continue;
      times.visible[side].push(visible);
      times.serving[side].push(serving);
      console.error(
        `round ${round} of ${rounds}, ${side}: visible after ${Math.round(visible)} ms, serving after ${Math.round(serving)} ms`,
      );
    }
  }
  console.log(`${rounds} rounds, ${cpus().length} CPUs, Linux ${release()}, Node ${process.version}\n`);
  console.log(
    '| from the save until | tscompose p50 | p95 | Compose p50 | p95 | ratio of p50 |\n|---|---|---|---|---|---|',
  );
  const rows = {visible: 'the file is visible', serving: 'the restarted process serves it'};
  const ratios = {};
  for (const [name, what] of Object.entries(rows)) {
    const {tscompose, docker} = times[name];
    ratios[name] = rank(tscompose, 0.5) / rank(docker, 0.5);
    const cells = [tscompose, docker].flatMap((values) => [rank(values, 0.5), rank(values, 0.95)]);
    console.log(`| ${what} | ${cells.map((ms) => `${Math.round(ms)} ms`).join(' | ')} | ${ratios[name].toFixed(2)} |`);
  }
  const met = rank(times.visible.tscompose, 0.5) <= 40 && ratios.visible <= 0.15 && ratios.serving <= 0.4;
  if (!met) process.exitCode = 1;
} finally {
  for (const child of children) child.kill();
  for (const side of Object.keys(sides)) {
    const [program, words] = sides[side].words(['down', '-v', '-t', '0']);
    spawnSync(program, words, {cwd: directoryOf(side), env: environment, stdio: 'ignore'});
  }
  stopOracle();
  spawnSync('ip', ['netns', 'delete', namespace]);
  rmSync(work, {recursive: true, force: true});
  rmSync('/run/tsc-bench-watch', {recursive: true, force: true});
}
