// Records what BuildKit says to the Dockerfiles of test/dockerfile/cases.mjs, without building them:
//   TSCOMPOSE_ORACLE=test/support/oracle/oracle node scripts/record-dockerfiles.mjs
// TSCOMPOSE_ORACLE is a program with the verbs `up` and `docker` (default: the project's own oracle, started if need be).
// test/dockerfile/check.test.ts compares with test/recorded/dockerfiles.json everywhere.
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {cases} from '../test/dockerfile/cases.mjs';

const project = new URL('..', import.meta.url).pathname;
const oracle = process.env.TSCOMPOSE_ORACLE ?? join(project, 'test/support/oracle/oracle');
const context = mkdtempSync(join(tmpdir(), 'dockerfiles-'));
process.on('exit', () => rmSync(context, {recursive: true, force: true}));
execFileSync(oracle, ['up'], {stdio: ['ignore', 'ignore', 'inherit']});
for (const name of ['a', 'b', 'c', 'a b']) writeFileSync(join(context, name), 'x');

function check(text) {
  writeFileSync(join(context, 'Dockerfile'), text);
  const words = ['docker', 'build', '--call=check,format=json', context];
  const {stdout, stderr} = spawnSync(oracle, words, {encoding: 'utf8'});
  const error = /ERROR: (?:failed to build: )?(?:failed to solve: )?([\s\S]*)/.exec(stderr)?.[1]?.trim().split('\n')[0];
  if (error !== undefined) return {text, error};
  const warnings = (JSON.parse(stdout).warnings ?? []).map(
    ({ruleName, location}) => `${ruleName}:${location?.ranges?.[0]?.start?.line ?? ''}`,
  );
  return {text, warnings: warnings.sort()};
}

const docker = execFileSync(oracle, ['docker', 'version', '--format', '{{.Server.Version}}'], {
  encoding: 'utf8',
}).trim();
const answers = [...new Set(cases)].map(check);
const recorded = {docker, recorded: new Date().toISOString().slice(0, 10), answers};
writeFileSync(join(project, 'test/recorded/dockerfiles.json'), `${JSON.stringify(recorded, null, 1)}\n`);
process.stdout.write(`${answers.length} Dockerfiles recorded\n`);
