// Records what the real Docker answers to the cases of test/differential:
//   TSCOMPOSE_TEST_DOCKER=/var/run/docker.sock node scripts/record-differential.mjs [NOUN...]
// One file a noun under test/recorded/differential; the tests compare with them everywhere. The engine has to be on this
// machine. Everything that is made on it is removed.
import {spawnSync} from 'node:child_process';

if (!process.env.TSCOMPOSE_TEST_DOCKER) {
  console.error('TSCOMPOSE_TEST_DOCKER is not set: the path of the socket of a Docker Engine');
  process.exit(64);
}
const root = new URL('..', import.meta.url).pathname;
const files =
  process.argv.length > 2
    ? process.argv.slice(2).map((noun) => `test/differential/${noun}.test.ts`)
    : ['test/differential'];
const {status} = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: {...process.env, TSCOMPOSE_RECORD: 'differential'},
});
process.exit(status ?? 1);
