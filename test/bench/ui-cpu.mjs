// What the terminal UI costs: processor time of the command itself, drawn into a terminal of 160×50, once with 10 services
// that say nothing and once with 50 that write 20 lines a second each; with the frames and the bytes that it drew. Root, tmux
// and a built `dist` needed.
//
//   node test/bench/ui-cpu.mjs [SECONDS]        default 20 for each; one JSON object a line
import {execFileSync, spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {ensureImages} from '../support/images/make.mjs';

const seconds = Number(process.argv[2] ?? 20);
const cli = resolve(import.meta.dirname, '../../dist/cli.cjs');
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], {encoding: 'utf8'}));
const id = randomBytes(4).toString('hex');
const base = mkdtempSync(join(tmpdir(), 'tsc-ui-cpu-'));
const namespace = `tsc-${id}`;
const env = {
  PATH: process.env.PATH,
  HOME: base,
  LANG: 'C.UTF-8',
  TERM: 'tmux-256color',
  TMUX_TMPDIR: base,
  TSCOMPOSE_ROOT: join(base, 'root'),
  TSCOMPOSE_RUN: `/run/tsc-${id}`,
  TSCOMPOSE_CGROUP_PARENT: `tsc-bench-${id}`,
};
const inNamespace = [`--net=/run/netns/${namespace}`, '--', process.execPath, cli];

function tscompose(...args) {
  const result = spawnSync('nsenter', [...inNamespace, ...args], {cwd: base, env, encoding: 'utf8'});
  if (result.status !== 0) throw new Error(`${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}

function tmux(...args) {
  return execFileSync('tmux', ['-f', '/dev/null', ...args], {cwd: base, env, encoding: 'utf8'});
}

/** Processor time in ms, with that of children that have ended. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

function children(pid) {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1].split(' ')[1] === String(pid);
    } catch {
      return false;
    }
  });
}

function monitors() {
  return readdirSync('/proc').filter((name) => {
    try {
      const isMonitor = readFileSync(`/proc/${name}/comm`, 'utf8').startsWith('tscompose-monit');
      return isMonitor && readFileSync(`/proc/${name}/cgroup`, 'utf8').includes(env.TSCOMPOSE_CGROUP_PARENT);
    } catch {
      return false;
    }
  });
}

async function measure(name, services) {
  writeFileSync(join(base, 'compose.yaml'), JSON.stringify({name: 'bench', services}));
  tscompose('up', '-d');
  try {
    tmux('new-session', '-d', '-x', '160', '-y', '50', `exec nsenter ${inNamespace.join(' ')} ui`);
    const pid = Number(tmux('display-message', '-p', '#{pane_pid}').trim());
    // Until it is up: code compiled, logs read, the first frames drawn.
    await delay(8000);
    const parts = {ui: [pid], helpers: children(pid), monitors: monitors()};
    const sum = (pids) => pids.reduce((total, part) => total + cpuMs(part), 0);
    const before = Object.fromEntries(Object.entries(parts).map(([part, pids]) => [part, sum(pids)]));
    const drawn = join(base, 'drawn');
    tmux('pipe-pane', `exec cat >${drawn}`);
    const began = performance.now();
    await delay(seconds * 1000);
    const took = performance.now() - began;
    tmux('pipe-pane');
    const output = readFileSync(drawn, 'latin1');
    // Each frame is one synchronized update.
    const frames = output.split('\x1b[?2026h').length - 1;
    const percent = (part) => Math.round(((sum(parts[part]) - before[part]) / took) * 1000) / 10;
    const [, resident] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    console.log(
      JSON.stringify({
        name,
        seconds,
        framesPerSecond: Math.round((frames / took) * 10_000) / 10,
        kilobytesPerSecond: Math.round(output.length / took),
        uiPercentOfCore: percent('ui'),
        helpersPercentOfCore: percent('helpers'),
        monitorsPercentOfCore: percent('monitors'),
        uiResidentMb: Math.round(Number(resident) / 1024),
      }),
    );
    if (process.argv.includes('--show')) console.log(tmux('capture-pane', '-p'));
  } finally {
    spawnSync('tmux', ['kill-server'], {env});
    tscompose('down', '-t', '0');
  }
}

function services(count, command) {
  const entry = {image: 'busybox', command, stop_grace_period: '0s', network_mode: 'none'};
  return Object.fromEntries(Array.from({length: count}, (_, index) => [`service-${index + 1}`, entry]));
}

execFileSync('ip', ['netns', 'add', namespace]);
try {
  execFileSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  tscompose('load', '-q', '-i', ensureImages(['busybox']).busybox);
  await measure('10 idle services', services(10, ['sleep', '100000']));
  const line = '$(date +%s) GET /orders/4711 200 in 12ms by worker 3 of the pool for customers';
  const writer = `while true; do ${`echo "${line}"; `.replace('$(date +%s)', '2026-01-02 03:04:05').repeat(10)} sleep 0.5; done`;
  await measure('50 services, 20 lines a second each', services(50, ['sh', '-c', writer]));
} finally {
  execFileSync('ip', ['netns', 'delete', namespace]);
  rmSync(base, {recursive: true, force: true});
  rmSync(env.TSCOMPOSE_RUN, {recursive: true, force: true});
}
