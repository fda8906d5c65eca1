// What the terminal UI costs: a frame of 50 services at 200 columns, and 1,000 lines of logs a second.
// Usage: node test/bench/tui-view.mjs
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {build} from 'esbuild';

const root = resolve(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'tscompose-bench-'));
try {
  const entry = `
    export {largeScene, fullColor, now} from './test/tui/scenes.ts';
    export {view} from './src/tui/view.ts';
    export {renderLines} from './src/tui/render.ts';
    export {reduceUi} from './src/tui/reduce.ts';
    export {LogStore} from './src/tui/log-store.ts';
  `;
  const outfile = join(directory, 'bench.mjs');
  await build({
    stdin: {contents: entry, resolveDir: root, loader: 'ts'},
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
    banner: {js: "import {createRequire} from 'node:module'; const require = createRequire(import.meta.url);"},
  });
  const {largeScene, fullColor, now, view, renderLines, reduceUi, LogStore} = await import(pathToFileURL(outfile).href);

  const scene = largeScene(200, 60);
  const options = {columns: 200, rows: 60, now, theme: fullColor, utcOffsetMinutes: 0};
  const settings = {
    follow: {},
    'wide characters, wrapped': {wrap: true},
    search: {search: 'error'},
    'filter and search': {filter: 'INFO', search: 'worker 3'},
  };
  for (let index = 0; index < 20_000; index++) {
    const service = `service-${String((index % 50) + 1).padStart(2, '0')}`;
    const text = `${index} 测试 émoji 👩‍👩‍👧 \x1b[32mgreen\x1b[0m ${'lorem ipsum '.repeat(8)}`;
    scene.logs.push({id: service, service, number: 1}, 'stdout', Buffer.from(`${text}\n`), now + index);
  }
  for (const [name, log] of Object.entries(settings)) {
    const state = {...scene.state, log: {...scene.state.log, ...log}};
    const draw = () => renderLines(view(state, scene.logs, options), fullColor);
    for (let index = 0; index < 50; index++) draw();
    const rounds = 200;
    const before = process.cpuUsage();
    for (let index = 0; index < rounds; index++) draw();
    const {user, system} = process.cpuUsage(before);
    console.log(`frame, 50 services, 200x60, ${name}: ${((user + system) / 1000 / rounds).toFixed(2)} ms CPU`);
  }

  const logs = new LogStore();
  const seconds = 60;
  const line = (index) => {
    if (index % 7 === 0)
      return `{"level":"info","time":${index},"msg":"handled","path":"/cart","status":200,"ms":${index % 90}}`;
    if (index % 5 === 0) return `\x1b[32minfo\x1b[39m  handled GET /products/${index} 200 in ${index % 90}ms`;
    return `2026-01-02T12:04:31.${index % 1000}Z INFO handled GET /products/${index} 200 in ${index % 90}ms for customer ${index % 999}`;
  };
  const append = (from, count) => {
    for (let index = from; index < from + count; index++) {
      const service = `service-${(index % 50) + 1}`;
      logs.push({id: service, service, number: 1}, 'stdout', Buffer.from(`${line(index)}\n`), now + index);
    }
  };
  append(0, 20_000);
  // A search and a filter that are kept up to date, as while one looks at them.
  logs.query({service: undefined, number: undefined, filter: 'handled', search: '', times: undefined});
  logs.query({service: undefined, number: undefined, filter: 'handled', search: 'customer 7', times: undefined});
  const before = process.cpuUsage();
  append(20_000, seconds * 1000);
  const {user, system} = process.cpuUsage(before);
  console.log(`1,000 lines a second of 50 services: ${((user + system) / 10_000 / seconds).toFixed(2)} % of a core`);

  const full = new LogStore();
  for (let index = 0; index < 250_000; index++) {
    const service = `service-${(index % 50) + 1}`;
    full.push({id: service, service, number: 1}, 'stdout', Buffer.from(`${line(index)}\n`), now + index);
  }
  const started = performance.now();
  const found = full.query({
    service: undefined,
    number: undefined,
    filter: '',
    search: 'customer 77',
    times: undefined,
  }).count;
  console.log(`a new search over 250,000 lines: ${(performance.now() - started).toFixed(0)} ms, ${found} found`);
  console.log(`250,000 lines kept: ${(process.memoryUsage().heapUsed / 1024 / 1024).toFixed(0)} MiB of heap in all`);

  let {state} = scene;
  const samples = state.services.map(({replicas}) => ({id: replicas[0].id, cpuPercent: 3, memoryBytes: 1e6}));
  const statsBefore = process.cpuUsage();
  for (let index = 0; index < 2000; index++) state = reduceUi(state, {time: now, kind: 'stats', samples});
  const stats = process.cpuUsage(statsBefore);
  console.log(`samples of 50 services: ${((stats.user + stats.system) / 1000 / 2000).toFixed(3)} ms CPU`);
} finally {
  rmSync(directory, {recursive: true});
}
