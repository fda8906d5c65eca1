// Records what BuildKit makes of the builds of test/engine/build/cases.mjs:
//   TSCOMPOSE_ORACLE=test/support/oracle/oracle node scripts/record-builds.mjs [NAME…]
// TSCOMPOSE_ORACLE is a program with the verbs `up` and `docker` (default: the project's own oracle, started if need be).
// test/engine/build/builds.test.ts compares with test/recorded/builds.json everywhere.
import {execFileSync, spawnSync} from 'node:child_process';
import {createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {archiveEntries} from '../test/engine/build/archive-entries.mjs';
import {cases} from '../test/engine/build/cases.mjs';
import {writeFiles} from '../test/engine/build/context-files.mjs';
import {ensureImages} from '../test/support/images/make.mjs';

const project = new URL('..', import.meta.url).pathname;
const oracle = process.env.TSCOMPOSE_ORACLE ?? join(project, 'test/support/oracle/oracle');
const file = join(project, 'test/recorded/builds.json');
const directory = mkdtempSync(join(tmpdir(), 'builds-'));
process.on('exit', () => rmSync(directory, {recursive: true, force: true}));
execFileSync(oracle, ['up'], {stdio: ['ignore', 'ignore', 'inherit']});
const docker = (...words) => spawnSync(oracle, ['docker', ...words], {encoding: 'utf8', maxBuffer: 1 << 28});
docker('load', '-i', ensureImages(['busybox']).busybox);

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

function wordsOf({target, arguments: given = {}, labels = {}, secret}, more = {}) {
  const {nextArguments = given, noCache, noCacheFilter} = more;
  return [
    '--provenance=false',
    ...(target === undefined ? [] : ['--target', target]),
    ...Object.entries(nextArguments).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
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
  docker('save', '-o', archive, tag);
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

async function record(testCase, index) {
  const {name, files, dockerfile, edits = [], secret} = testCase;
  const context = join(directory, `case-${index}`);
  mkdirSync(context);
  writeFiles(context, {...files, Dockerfile: dockerfile});
  if (secret !== undefined) writeFileSync(join(directory, 'secret'), secret);
  // What other cases built does not count.
  if (edits.length > 0) docker('builder', 'prune', '-af');
  const words = wordsOf(testCase);
  const tag = `record-builds:${index}`;
  const {status, stderr} = build(context, [...words, '-t', tag]);
  try {
    if (status !== 0) {
      const error = /ERROR: (?:failed to build: )?(?:failed to solve: )?([\s\S]*)/
        .exec(stderr)?.[1]
        ?.trim()
        .split('\n')[0];
      return {name, error: error.replace(/^failed to compute cache key: .*?: /, '')};
    }
    const found = await filesOf(context, words);
    const changed = Object.fromEntries(Object.entries(found).filter(([path, text]) => base[path] !== text));
    const gone = Object.keys(base).filter((path) => found[path] === undefined);
    const verdicts = edits.map((edit) => {
      writeFiles(context, edit);
      const {nextArguments, nextNoCache: noCache, nextNoCacheFilter: noCacheFilter} = testCase;
      return verdictsOf(build(context, wordsOf(testCase, {nextArguments, noCache, noCacheFilter})).stderr);
    });
    const isScratch = gone.length > 50;
    return {
      ...{name, image: configOf(tag), files: changed},
      ...(isScratch ? {scratch: true} : {gone}),
      ...(edits.length > 0 ? {verdicts} : {}),
    };
  } finally {
    docker('rmi', '-f', tag);
    rmSync(context, {recursive: true, force: true});
  }
}

const wanted = process.argv.slice(2);
const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).answers : [];
const answers = [];
for (const [index, testCase] of cases.entries()) {
  const earlier = known.find(({name}) => name === testCase.name);
  const anew = wanted.length === 0 || wanted.includes(testCase.name) || earlier === undefined;
  answers.push(anew ? await record(testCase, index) : earlier);
  process.stderr.write('.');
}
const version = docker('version', '--format', '{{.Server.Version}}').stdout.trim();
const recorded = {docker: version, recorded: new Date().toISOString().slice(0, 10), answers};
writeFileSync(file, `${JSON.stringify(recorded, null, 1)}\n`);
process.stdout.write(`\n${answers.length} builds recorded\n`);
