// Measures the built-in engine beside a real Docker Engine and Debian's podman and crun, in one run, interleaved:
//   npm run bench:engine [-- PART... --rounds N --no-peers]
// Parts: start exec hundred stop memory traffic names logs transfers archives
// builds context five-hundred; all unless some are named. A built `dist` is needed.
// Prints a table: medians, the tenth that was quickest, and the processor time of the whole machine as a mean. Where limits are
// missed, it says which and fails. Root and Debian needed. The machine should have nothing else to do.
import {spawn, spawnSync} from 'node:child_process';
import {mkdirSync, rmSync} from 'node:fs';
import {cpus, release} from 'node:os';
import {parseArgs} from 'node:util';
import {openBed} from '../test/bench/engine/bed.mjs';
import {measureBuilds, measureContext} from '../test/bench/engine/builds.mjs';
import {measureExec} from '../test/bench/engine/exec.mjs';
import {measureFiveHundred} from '../test/bench/engine/five-hundred.mjs';
import {measureArchives, measureTransfers} from '../test/bench/engine/images.mjs';
import {measureLogs} from '../test/bench/engine/logs.mjs';
import {measureHundred, measureStop} from '../test/bench/engine/many.mjs';
import {measureMemory} from '../test/bench/engine/memory.mjs';
import {fetchPeers} from '../test/bench/engine/peers.mjs';
import {printTable} from '../test/bench/engine/report.mjs';
import {measureStart} from '../test/bench/engine/start.mjs';
import {measureNames, measureTraffic} from '../test/bench/engine/traffic.mjs';
import {ensureImages} from '../test/support/images/make.mjs';
import {startOracle} from '../test/support/oracle/started.mjs';

const namespace = 'tsc-bench-engine';
/** Always the same place: what a run leaves that is killed is found and removed by the next one. */
const work = '/tmp/tsc-bench-engine';
const run = '/run/tsc-bench-engine';
const parts = {
  start: measureStart,
  exec: measureExec,
  hundred: measureHundred,
  stop: measureStop,
  memory: measureMemory,
  traffic: measureTraffic,
  names: measureNames,
  logs: measureLogs,
  transfers: measureTransfers,
  archives: measureArchives,
  builds: measureBuilds,
  context: measureContext,
  'five-hundred': measureFiveHundred,
};
/** Those that have a row for podman or crun. */
const withPeers = ['start', 'exec'];

const {values: flags, positionals} = parseArgs({
  options: {rounds: {type: 'string'}, 'no-peers': {type: 'boolean'}},
  allowPositionals: true,
});
const wanted = positionals.length > 0 ? positionals : Object.keys(parts);
const unknown = wanted.find((name) => parts[name] === undefined);
if (unknown !== undefined) {
  console.error(`unknown part "${unknown}": ${Object.keys(parts).join(', ')}`);
  process.exit(64);
}

const peers = flags['no-peers'] !== true && wanted.some((name) => withPeers.includes(name));

/** The built-in engine works on the namespace it is started in: a machine of its own, so that nothing of this one is touched. */
async function measureInside() {
  // What comes from Debian's packages has to be there before: the namespace leads nowhere.
  const stopOracle = startOracle(ensureImages(['busybox'], console.error).busybox);
  const words = [`--net=/run/netns/${namespace}`, '--', process.execPath, ...process.argv.slice(1)];
  if (peers && !tryToFetchPeers()) words.push('--no-peers');
  spawnSync('ip', ['netns', 'delete', namespace]);
  spawnSync('ip', ['netns', 'add', namespace]);
  spawnSync('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
  const inside = spawn('nsenter', words, {stdio: 'inherit', env: {...process.env, TSCOMPOSE_BENCH_INSIDE: namespace}});
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => inside.kill(signal));
  process.exitCode = await new Promise((resolve) => inside.once('close', (code) => resolve(code ?? 1)));
  spawnSync('ip', ['netns', 'delete', namespace]);
  stopOracle();
}

/** They are for comparison: without them everything else is measured. */
function tryToFetchPeers() {
  try {
    fetchPeers();
    return true;
  } catch (error) {
    console.error(`podman and crun are left out: ${error.message.trim().split('\n').at(-1)}`);
    return false;
  }
}

async function measure() {
  mkdirSync(work, {recursive: true, mode: 0o700});
  const bed = await openBed({work, run, cgroupParent: namespace, peers});
  const stop = new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => reject(new Error(`ended by ${signal}`)));
  });
  const rows = [];
  try {
    for (const name of wanted) {
      console.error(`measuring ${name} …`);
      const rounds = flags.rounds === undefined ? undefined : Number(flags.rounds);
      rows.push(...(await Promise.race([parts[name](bed, rounds), stop])));
      await bed.clear();
    }
  } finally {
    await bed.close();
    rmSync(work, {recursive: true, force: true});
    rmSync(run, {recursive: true, force: true});
  }
  console.log(`${cpus().length} CPUs, Linux ${release()}, Node ${process.version}; median (best tenth, mean CPU)\n`);
  printTable(rows);
  const missed = rows.filter(({met}) => !met);
  if (missed.length === 0) return;
  console.error(`\nlimits are missed: ${missed.map(({cells: [what]}) => what).join('; ')}`);
  process.exitCode = 1;
}

if (process.env.TSCOMPOSE_BENCH_INSIDE === namespace) await measure();
else await measureInside();
