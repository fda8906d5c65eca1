// Records what the real Docker answers to the probe stacks of test/e2e/parity:
//   TSCOMPOSE_ORACLE=test/support/oracle/oracle node scripts/record-parity.mjs [NAME...]
// TSCOMPOSE_ORACLE is a program with the verbs `docker` and `compose` (default: the project's own oracle, started if need
// be). One file a stack under test/recorded/parity; test/e2e/parity.test.ts compares with them everywhere.
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {release, tmpdir} from 'node:os';
import {join} from 'node:path';
import {writeRootArchive} from '../test/e2e/parity/root-archive.mjs';
import {readPlan, runStack} from '../test/e2e/parity/run-stack.mjs';
import {ensureImages} from '../test/support/images/make.mjs';

const project = new URL('..', import.meta.url).pathname;
const stacks = join(project, 'test/e2e/parity');
const output = join(project, 'test/recorded/parity');
const oracle = process.env.TSCOMPOSE_ORACLE ?? join(project, 'test/support/oracle/oracle');

function run(words) {
  return new Promise((resolve, reject) => {
    const child = spawn(oracle, words, {stdio: ['ignore', 'pipe', 'pipe']});
    const answer = {stdout: '', stderr: ''};
    child.stdout.on('data', (text) => (answer.stdout += text));
    child.stderr.on('data', (text) => (answer.stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({code, ...answer}));
  });
}

async function must(...words) {
  const {code, stdout, stderr} = await run(words);
  if (code !== 0) throw new Error(`${oracle} ${words.join(' ')}: ${stderr}`);
  return stdout.trim();
}

const engine = {
  compose: (words) => run(['compose', '--progress', 'quiet', ...words]),
  inspect: async (name) => JSON.parse(await must('docker', 'inspect', name))[0],
};

await must('up');
const archive = ensureImages(['busybox']).busybox;
await must('docker', 'load', '-i', archive);
const temporary = mkdtempSync(join(tmpdir(), 'parity-'));
process.on('exit', () => rmSync(temporary, {recursive: true, force: true}));
const rootTar = join(temporary, 'root.tar');
writeRootArchive(archive, rootTar);
const about = {
  docker: await must('docker', 'version', '--format', '{{.Server.Version}}'),
  compose: await must('compose', 'version', '--short'),
  recorded: new Date().toISOString().slice(0, 10),
  kernel: release().split('-')[0],
  cgroups: existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1,
};
const all = readdirSync(stacks).flatMap((file) => (file.endsWith('.yaml') ? [file.slice(0, -5)] : []));
const names = process.argv.length > 2 ? process.argv.slice(2) : all;
mkdirSync(output, {recursive: true});
for (const name of names) {
  const file = join(stacks, `${name}.yaml`);
  const {images} = readPlan(file);
  for (const [image, changes] of Object.entries(images))
    await must('docker', 'import', ...changes.flatMap((change) => ['-c', change]), rootTar, image);
  const answer = await runStack(file, engine);
  for (const image of Object.keys(images)) await must('docker', 'image', 'rm', image);
  writeFileSync(join(output, `${name}.json`), `${JSON.stringify({...about, answer}, null, 1)}\n`);
  console.log(`${name}: recorded with Docker ${about.docker}`);
}
