// Measures watching a large tree, in a process of its own: node test/bench/watch-tree.mjs [FILES] [DIRECTORIES] [BACKEND]
// Prints one line of JSON for the file side alone, and one for the built command on a running stack (root needed). Fails
// where the figures that watching promises are not met: a tree of 20,000 files is ready within 3 s, takes at most 100 MB
// and one inotify watch a directory.
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as delay} from 'node:timers/promises';
import {build} from 'esbuild';
import {ensureImages} from '../support/images/make.mjs';

const files = Number(process.argv[2] ?? 20_000);
const directories = Number(process.argv[3] ?? 2_000);
const backend = process.argv[4] ?? 'auto';
const source = new URL('../../src/watch/files', import.meta.url).pathname;

/** Files spread over directories that are nested three deep, and a directory that the rule leaves out. */
function makeTree(root) {
  const places = Array.from({length: directories - 1}, (_, index) =>
    join(root, `a${index % 12}`, `b${index % 144}`, `c${index}`),
  ).slice(0, Math.max(1, directories - 157));
  for (const place of places) mkdirSync(place, {recursive: true});
  for (let index = 0; index < files; index += 1) {
    writeFileSync(join(places[index % places.length], `file${index}.ts`), `export const value = ${index};\n`);
  }
  for (let index = 0; index < 200; index += 1) {
    const place = join(root, 'node_modules', `package${index}`);
    mkdirSync(place, {recursive: true});
    writeFileSync(join(place, 'index.js'), '');
  }
  return places;
}

const program = `
import {watchFiles} from '${source}/watch-files.ts';
import {batchEvents} from '${source}/batch-events.ts';
import {openHostTree} from '${source}/host-tree.ts';
import {ruleFilter} from '${source}/filter.ts';
import {systemClock} from '../../base/clock.ts';

const [path, backend] = process.argv.slice(2);
const root = {path, filter: ruleFilter({path, ignore: ['node_modules']})};
const clock = systemClock(Date.now);
const tell = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
const began = performance.now();
let tree;
const batches = batchEvents({clock, async onBatch(batch) {
  const paths = await tree.refresh(batch.kind === 'paths' ? batch.paths : 'everything');
  tell({batch: batch.kind, changed: paths, at: Date.now()});
}});
const watcher = watchFiles({roots: [root], backend, onEvent: batches.note});
await watcher.ready;
const watchedMs = performance.now() - began;
tree = await openHostTree(root, Date.now);
const readyMs = performance.now() - began;
const rss = () => Math.round(process.memoryUsage.rss() / 1e6);
tell({ready: true, backend: watcher.backend(), watchedMs, readyMs, entries: tree.manifest().size, megabytes: rss()});
await tree.fillDigests();
tell({filled: true, filledMs: performance.now() - began, megabytes: rss()});
process.stdin.on('data', () => {});
process.stdin.on('end', async () => {
  await batches.close();
  await watcher.close();
  tell({end: true, megabytes: rss(), maxMegabytes: Math.round(process.resourceUsage().maxRSS / 1e3)});
});
`;

function inotifyWatches(pid) {
  return readdirSync(`/proc/${pid}/fd`)
    .filter((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`) === 'anon_inode:inotify')
    .map((descriptor) => readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8').match(/^inotify wd/gm)?.length ?? 0)
    .reduce((sum, count) => sum + count, 0);
}

function countDirectories(root) {
  const below = readdirSync(root, {withFileTypes: true}).filter((entry) => entry.isDirectory());
  return 1 + below.reduce((sum, {name}) => sum + (name === 'node_modules' ? 0 : countDirectories(join(root, name))), 0);
}

/** The built command on a stack that runs already, from its start until it is ready, and what it takes after a while. */
async function measureCommand(root) {
  const id = `tsc-bench-${process.pid}`;
  const environment = {
    ...process.env,
    TSCOMPOSE_ROOT: join(work, 'root'),
    TSCOMPOSE_RUN: `/run/${id}`,
    TSCOMPOSE_CGROUP_PARENT: id,
  };
  const cli = new URL('../../dist/cli.cjs', import.meta.url).pathname;
  const words = (args) => [`--net=/run/netns/${id}`, '--', process.execPath, cli, ...args];
  const options = {cwd: work, env: environment};
  const run = (...args) => execFileSync('nsenter', words(args), {...options, stdio: ['ignore', 'ignore', 'pipe']});
  writeFileSync(
    join(work, 'compose.yaml'),
    JSON.stringify({
      name: 'tree',
      services: {
        api: {
          image: 'busybox',
          command: 'sleep 600',
          develop: {watch: [{path: root, action: 'sync', target: '/tree', ignore: ['node_modules']}]},
        },
      },
    }),
  );
  execFileSync('ip', ['netns', 'add', id]);
  try {
    run('load', '-q', '-i', ensureImages(['busybox'], console.error).busybox);
    run('up', '-d');
    const began = performance.now();
    const child = spawn('nsenter', words(['--progress', 'json', 'watch', '--no-up']), {
      ...options,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    for await (const line of createInterface({input: child.stderr})) {
      if (JSON.parse(line).kind === 'watchReady') break;
    }
    const readyMs = Math.round(performance.now() - began);
    // Until the content of every file has been read once.
    await delay(3_000);
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    const kilobytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    const watches = inotifyWatches(child.pid);
    child.kill('SIGINT');
    return {
      readyMs,
      watches,
      megabytes: Math.round(kilobytes('VmRSS') / 1e3),
      maxMegabytes: Math.round(kilobytes('VmHWM') / 1e3),
    };
  } finally {
    spawnSync('nsenter', words(['down', '-t', '0']), {...options, stdio: 'ignore'});
    spawnSync('ip', ['netns', 'delete', id]);
    rmSync(`/run/${id}`, {recursive: true, force: true});
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const work = mkdtempSync(join(tmpdir(), 'tsc-watch-tree-'));
try {
  const root = join(work, 'tree');
  const places = makeTree(root);
  const bundle = join(work, 'program.mjs');
  await build({
    stdin: {contents: program, resolveDir: source, loader: 'ts'},
    bundle: true,
    target: 'node20',
    platform: 'node',
    format: 'esm',
    outfile: bundle,
  });
  const child = spawn(process.execPath, [bundle, root, backend], {stdio: ['pipe', 'pipe', 'inherit']});
  const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  const ready = await next();
  const watches = inotifyWatches(child.pid);
  const filled = await next();
  await delay(300);

  const latencies = [];
  for (let round = 0; round < 20; round += 1) {
    const path = join(places[(round * 37) % places.length], 'saved.ts');
    const at = Date.now();
    writeFileSync(path, `${round} ${at}`);
    const batch = await next();
    if (!batch.changed.includes(path.slice(root.length + 1))) throw new Error(`not seen: ${JSON.stringify(batch)}`);
    latencies.push(batch.at - at);
    await delay(20);
  }

  // A storm: new times on a quarter of the files and new content in some of them.
  const touched = Math.floor(files / 4);
  const stormAt = Date.now();
  for (let index = 0; index < touched; index += 1) {
    const path = join(places[index % places.length], `file${index}.ts`);
    utimesSync(path, new Date(), new Date());
    if (index % 100 === 0) writeFileSync(path, `changed ${index}`);
  }
  const storm = await next();
  child.stdin.end();
  const last = await next();
  const result = {
    files,
    directories: countDirectories(root),
    backend: ready.backend,
    watches,
    watchedMs: Math.round(ready.watchedMs),
    readyMs: Math.round(ready.readyMs),
    readyMegabytes: ready.megabytes,
    digestsMs: Math.round(filled.filledMs),
    maxMegabytes: last.maxMegabytes,
    saveToBatchMs: median(latencies),
    storm: {
      touched,
      kind: storm.batch,
      changed: storm.changed.length,
      ms: storm.at - stormAt,
      batches: last.end ? 1 : 'more',
    },
  };
  console.log(JSON.stringify(result));
  const command = await measureCommand(root);
  console.log(JSON.stringify({command: 'tscompose watch', ...command}));
  // The command also watches its stack's files and the engine's journal.
  const met =
    [result, command].every(({readyMs, maxMegabytes}) => readyMs <= 3_000 && maxMegabytes <= 100) &&
    watches <= result.directories &&
    command.watches <= result.directories + 10;
  if (files <= 20_000 && backend === 'auto' && !met) process.exitCode = 1;
} finally {
  rmSync(work, {recursive: true, force: true});
}
