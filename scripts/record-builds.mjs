// Records what BuildKit makes of the builds of test/engine/build/cases:
//   TSCOMPOSE_ORACLE=test/support/oracle/oracle node scripts/record-builds.mjs [NAME…]
// TSCOMPOSE_ORACLE is a program with the verbs `up`, `docker` and `sh` (default: the project's own oracle, started if need be).
// Without names only what was not recorded before; `--all`: everything anew.
// test/engine/build/{builds,verdicts}.ci.test.ts compare with test/recorded/builds.json everywhere.
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {archiveEntries} from '../test/engine/build/archive-entries.mjs';
import {cases} from '../test/engine/build/cases/index.mjs';
import {withoutServer, withServer} from '../test/engine/build/cases-server.mjs';
import {writeFiles} from '../test/engine/build/context-files.mjs';
import {ensureImages} from '../test/support/images/make.mjs';

const project = new URL('..', import.meta.url).pathname;
const oracle = process.env.TSCOMPOSE_ORACLE ?? join(project, 'test/support/oracle/oracle');
const file = join(project, 'test/recorded/builds.json');
const directory = mkdtempSync(join(tmpdir(), 'builds-'));
process.on('exit', () => rmSync(directory, {recursive: true, force: true}));
execFileSync(oracle, ['up'], {stdio: ['ignore', 'ignore', 'inherit']});
const docker = (...words) => spawnSync(oracle, ['docker', ...words], {encoding: 'utf8', maxBuffer: 1 << 28});
for (const archive of Object.values(ensureImages(['busybox', 'quick']))) docker('load', '-i', archive);

// It is reached from the network that the oracle is in.
const serving = spawn(oracle, ['sh', process.execPath, join(project, 'test/engine/build/cases-server.mjs')], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const server = String((await once(serving.stdout, 'data'))[0]).trim();

/** Steps by their titles, and whether they came from the cache. */
function verdictsOf(log) {
  const titles = new Map();
  const verdicts = {};
  for (const line of log.split('\n')) {
    const [, number, title] = /^#(\d+) (\[.*)$/.exec(line) ?? [];
    if (title !== undefined && !title.startsWith('[internal]')) titles.set(number, title);
    const [, done, word] = /^#(\d+) (CACHED|DONE|ERROR)/.exec(line) ?? [];
    const known = titles.get(done);
    if (known !== undefined && !/^\[[^\]]*\] FROM /.test(known)) verdicts[known.split('\n')[0]] ??= word;
  }
  return verdicts;
}

function wordsOf({target, arguments: given = {}, labels = {}, secret, noCache, noCacheFilter}) {
  if (secret !== undefined) writeFileSync(join(directory, 'secret'), secret);
  return [
    '--provenance=false',
    ...(target === undefined ? [] : ['--target', target]),
    ...Object.entries(given).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    ...Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
    ...(secret === undefined ? [] : ['--secret', `id=s,src=${join(directory, 'secret')}`]),
    ...(noCache ? ['--no-cache'] : []),
    ...(noCacheFilter ? ['--no-cache-filter', noCacheFilter] : []),
  ];
}

function build(context, words) {
  return docker('build', '--progress=plain', ...words, context);
}

async function filesOf(context, words) {
  const archive = join(directory, 'files.tar');
  const {status, stderr} = build(context, [...words, '--output', `type=tar,dest=${archive}`]);
  if (status !== 0) throw new Error(stderr);
  return await archiveEntries(createReadStream(archive));
}

function configOf(tag) {
  const archive = join(directory, 'image.tar');
  const {status, stderr} = docker('save', '-o', archive, tag);
  if (status !== 0) throw new Error(stderr);
  const text = (name) => execFileSync('tar', ['-xOf', archive, name], {encoding: 'utf8'});
  const [{Config}] = JSON.parse(text('manifest.json'));
  const {config, architecture, os, author, history, rootfs} = JSON.parse(text(Config));
  return {
    ...{config, architecture, os, author},
    history: history.map(({created: _created, ...line}) => line),
    layers: rootfs.diff_ids.length,
  };
}

const bare = join(directory, 'bare');
mkdirSync(bare);
writeFileSync(join(bare, 'Dockerfile'), 'FROM busybox\n');
const base = await filesOf(bare, []);

/** The first line of what it says, without names of its own, and the lines of the Dockerfile that it points to. */
function errorOf(text) {
  const [first = ''] =
    /ERROR: (?:failed to build: )?(?:failed to solve: )?([\s\S]*)/.exec(text)?.[1]?.trim().split('\n') ?? [];
  const error = withoutServer(first, server)
    .replace(/^failed to compute cache key: /, '')
    .replace(/ of ref \S+/, '')
    .replace(/\S*\/overlay2\/\S+\/merged/, '');
  const lines = [...text.matchAll(/^ *(\d+) \| >>> /gm)].map(([, line]) => Number(line));
  return {error, ...(lines.length > 0 ? {lines: [lines[0], lines.at(-1)]} : {})};
}

async function record(testCase, index) {
  const {name, files, edits = []} = testCase;
  const context = join(directory, `case-${index}`);
  mkdirSync(context);
  writeFiles(context, {...files, Dockerfile: withServer(testCase.dockerfile, server)});
  // What other cases built does not count.
  if (edits.length > 0) docker('builder', 'prune', '-af');
  const words = wordsOf(testCase);
  const tag = `record-builds:${index}`;
  const {status, stderr} = build(context, [...words, '-t', tag]);
  try {
    if (status !== 0) return {name, ...errorOf(stderr)};
    const image = JSON.parse(withoutServer(JSON.stringify(configOf(tag)), server));
    if (edits.length > 0) {
      const verdicts = edits.map((edit) => {
        writeFiles(context, edit);
        return verdictsOf(build(context, wordsOf({...testCase, ...testCase.next})).stderr);
      });
      return {name, image, verdicts};
    }
    const found = await filesOf(context, words);
    const changed = Object.fromEntries(Object.entries(found).filter(([path, text]) => base[path] !== text));
    const gone = Object.keys(base).filter((path) => found[path] === undefined);
    const isScratch = gone.length > 50;
    return {name, image, ...(isScratch ? {files: found, scratch: true} : {files: changed, gone})};
  } finally {
    docker('rmi', '-f', tag);
    rmSync(context, {recursive: true, force: true});
  }
}

const wanted = process.argv.slice(2);
const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).answers : [];
const version = docker('version', '--format', '{{.Server.Version}}').stdout.trim();
const answers = new Map(known.map((answer) => [answer.name, answer]));

/** Also of what is not finished, so that nothing is asked for twice. */
function save() {
  const sorted = cases.flatMap(({name}) => answers.get(name) ?? []);
  const recorded = {docker: version, recorded: new Date().toISOString().slice(0, 10), answers: sorted};
  writeFileSync(file, `${JSON.stringify(recorded, null, 1)}\n`);
}

for (const [index, testCase] of cases.entries()) {
  const {name} = testCase;
  if (!wanted.includes('--all') && !wanted.includes(name) && answers.has(name)) continue;
  answers.set(name, await record(testCase, index));
  process.stderr.write('.');
  if (index % 20 === 0) save();
}
save();
process.stdout.write(`\n${answers.size} builds recorded\n`);
process.exit();
