// Runs the tests at a level: quick, ci or long. Installs from Debian's packages what the tests use, or says what is missing.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, rmSync} from 'node:fs';

const root = new URL('..', import.meta.url).pathname;
const level = process.argv[2] ?? 'ci';
const filters = process.argv.slice(3);
if (!['quick', 'ci', 'long'].includes(level)) {
  console.error(`unknown test level "${level}": quick, ci or long`);
  process.exit(64);
}

/** Programs and files that tests use, with the Debian package that has each. */
const needs = [
  {file: '/bin/busybox', package: 'busybox-static'},
  {program: 'ip', package: 'iproute2'},
  {program: 'nft', package: 'nftables'},
  {program: 'iptables', package: 'iptables'},
  {program: 'nsenter', package: 'util-linux'},
  {program: 'mmdebstrap', package: 'mmdebstrap'},
  {program: 'getfattr', package: 'attr'},
  {program: 'curl', package: 'curl'},
  {program: 'git', package: 'git'},
  {program: 'ssh-agent', package: 'openssh-client'},
  {program: 'xz', package: 'xz-utils'},
  {program: 'bzip2', package: 'bzip2'},
  {program: 'zstd', package: 'zstd'},
  {program: 'tmux', package: 'tmux'},
  {program: 'make', package: 'make'},
  {program: 'cc', package: 'gcc'},
  {file: '/usr/include/seccomp.h', package: 'libseccomp-dev'},
  {program: 'python3', package: 'python3'},
  {program: 'tmux', package: 'tmux'},
  {program: 'zsh', package: 'zsh'},
  {program: 'fish', package: 'fish'},
  ...(level === 'long' ? [{program: 'clang', package: 'clang'}] : []),
];

function has(need) {
  if (need.file !== undefined) return existsSync(need.file);
  return spawnSync('sh', ['-c', `command -v ${need.program}`], {stdio: 'ignore'}).status === 0;
}

function run(command, args, options = {}) {
  return spawnSync(command, args, {cwd: root, stdio: 'inherit', ...options});
}

function installMissing() {
  const missing = needs.filter((need) => !has(need)).map((need) => need.package);
  if (missing.length === 0) return;
  const wanted = [...new Set(missing)];
  console.error(`tests need: ${wanted.join(' ')}; installing from Debian's packages`);
  const environment = {...process.env, DEBIAN_FRONTEND: 'noninteractive'};
  const updated =
    process.getuid?.() === 0 && run('apt-get', ['-qq', 'update'], {env: environment, stdio: 'ignore'}).status === 0;
  if (updated)
    run('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', ...wanted], {
      env: environment,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const still = needs.filter((need) => !has(need)).map((need) => need.package);
  if (still.length > 0) {
    console.error(`tests cannot run: missing ${[...new Set(still)].join(' ')}`);
    console.error(`Install them as root: apt-get install ${[...new Set(still)].join(' ')}`);
    process.exit(1);
  }
}

if (process.getuid?.() !== 0) {
  console.error('tests cannot run: they make real containers, which needs root');
  console.error('Run them as root, in a throw-away machine if you like: sudo npm test');
  process.exit(1);
}
installMissing();
if (!existsSync(`${root}dist/cli.cjs`)) {
  const built = run(process.execPath, ['scripts/build.mjs']);
  if (built.status !== 0) process.exit(built.status ?? 1);
}
if (level !== 'quick') {
  const made = run(process.execPath, ['test/support/images/make.mjs'], {stdio: ['ignore', 'ignore', 'inherit']});
  if (made.status !== 0) {
    console.error('tests cannot run: the test images could not be made (see above)');
    process.exit(1);
  }
}

mkdirSync(`${root}.cache`, {recursive: true});
const results = `${root}.cache/test-results.json`;
rmSync(results, {force: true});
const vitest = run(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...filters,
  ],
  {
    env: {...process.env, TSCOMPOSE_TEST_LEVEL: level, npm_config_loglevel: 'error'},
  },
);

let failed = vitest.status === 0 ? 0 : 1;
if (existsSync(results)) {
  const report = JSON.parse(readFileSync(results, 'utf8'));
  const slowest = report.testResults
    .map((file) => ({name: file.name.replace(root, ''), seconds: (file.endTime - file.startTime) / 1000}))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, 10);
  console.log('\nslowest test files:');
  for (const file of slowest) console.log(`  ${file.seconds.toFixed(1).padStart(7)} s  ${file.name}`);
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  failed = report.numFailedTests + brokenFiles;
  const skipped = report.numPendingTests + report.numTodoTests;
  if (failed === 0 && vitest.status !== 0) failed = 1;
  console.log(`\n${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
} else {
  console.log(`\n0 passed, ${failed} failed`);
}
process.exit(failed === 0 ? 0 : 1);
