// Runs an end-to-end smoke in a virtual machine with Debian's stock kernel, cgroup v2 and systemd: npm run test:vm [-- WORD], where
// only the checks with that word in their names are wanted (test/vm/guest.sh). Each claim is printed as soon as it is known.
// The guest is a Debian root with this build in it, started by qemu (in software; TSCOMPOSE_VM_KVM=1 uses the processor's virtualization).
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {build} from 'esbuild';

const project = new URL('..', import.meta.url).pathname;
const cache = join(process.env.TSCOMPOSE_TEST_CACHE ?? join(homedir(), '.cache/tscompose-test'), 'vm');
const suite = 'bookworm';
const packages = [
  'linux-image-amd64',
  'initramfs-tools',
  'kmod',
  'iproute2',
  'curl',
  'procps',
  'libstdc++6',
  'nftables',
  'busybox-static',
  'util-linux',
  'socat',
  'apparmor',
  'systemd',
  'libpam-systemd',
  'dbus-user-session',
  'uidmap',
];
/** Of one boot: an emulated processor on a busy machine takes its time. */
const limitMs = 60 * 60_000;
/** A word: only the checks whose names have it. */
const [only = ''] = process.argv.slice(2);

function need(program, debianPackage) {
  if (spawnSync('sh', ['-c', `command -v ${program}`], {stdio: 'ignore'}).status === 0) return;
  const installed = spawnSync('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', debianPackage], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {...process.env, DEBIAN_FRONTEND: 'noninteractive'},
  });
  if (installed.status !== 0) {
    console.error(`the virtual machine needs "${program}": apt-get install ${debianPackage}`);
    process.exit(1);
  }
}

function mirror() {
  for (const file of ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']) {
    const found = existsSync(file) ? /^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(\S+)/m.exec(readFileSync(file, 'utf8')) : null;
    if (found?.[1]) return found[1];
  }
  throw new Error('no source of Debian packages is configured in /etc/apt');
}

function guestRoot() {
  const root = join(cache, 'root');
  const ready = join(root, '.ready');
  // Made anew where it lacks a package that is wanted by now.
  if (existsSync(ready) && readFileSync(ready, 'utf8') === packages.join()) return root;
  rmSync(root, {recursive: true, force: true});
  mkdirSync(cache, {recursive: true});
  console.error(`making the guest: Debian ${suite} with its own kernel`);
  execFileSync(
    'mmdebstrap',
    [
      '--quiet',
      '--variant=minbase',
      '--mode=root',
      `--include=${packages.join(',')}`,
      '--aptopt=Acquire::Languages "none"',
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      suite,
      root,
      mirror(),
    ],
    {stdio: ['ignore', 'ignore', 'inherit']},
  );
  writeFileSync(ready, packages.join());
  return root;
}

/** The guest's disk: the Debian root, this build, the quick start, the running Node, and what the guest does. */
async function makeDisk(root) {
  const target = join(root, 'opt/tscompose');
  rmSync(target, {recursive: true, force: true});
  mkdirSync(target, {recursive: true});
  for (const part of ['dist', 'schemas', 'examples', 'package.json'])
    execFileSync('cp', ['-a', join(project, part), target]);
  await build({
    entryPoints: ['limits', 'networks', 'confinement', 'delegation', 'boot'].map((name) =>
      join(project, `test/vm/${name}.ts`),
    ),
    outdir: target,
    outExtension: {'.js': '.mjs'},
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    banner: {js: "import {createRequire} from 'node:module'; const require = createRequire(import.meta.url);"},
    logLevel: 'error',
  });
  execFileSync('cp', [process.execPath, join(root, 'usr/local/bin/node')]);
  execFileSync('cp', [join(project, 'test/vm/guest.sh'), join(root, 'guest.sh')]);
  const units = join(root, 'etc/systemd/system');
  execFileSync('cp', [join(project, 'test/vm/guest.service'), units]);
  execFileSync('ln', ['-sfn', '../guest.service', join(units, 'multi-user.target.wants')]);
  // With a number of its own the machine is not set up as one that starts for the first time.
  writeFileSync(join(root, 'etc/machine-id'), `${'7c'.repeat(16)}\n`);
  const disk = join(cache, 'disk.ext4');
  rmSync(disk, {force: true});
  execFileSync('truncate', ['-s', '3G', disk]);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, disk]);
  return disk;
}

/** The check of the timer fails where an emulated processor does not get enough of a busy one. */
const kernelWords = [
  'root=/dev/vda rw console=ttyS0 loglevel=4 panic=-1 no_timer_check',
  'systemd.show_status=false systemd.mask=serial-getty@ttyS0.service',
  `tscompose.only=${only}`,
];

function boot(root, disk) {
  const kernels = readdirSync(join(root, 'boot'));
  const [kernel, initrd] = ['vmlinuz-', 'initrd.img-'].map((prefix) =>
    join(root, 'boot', kernels.find((name) => name.startsWith(prefix)) ?? ''),
  );
  // Nested virtualization may be there and not work: software emulation always does.
  const acceleration =
    process.env.TSCOMPOSE_VM_KVM === '1'
      ? ['-accel', 'kvm', '-cpu', 'host']
      : ['-accel', 'tcg,thread=multi', '-cpu', 'max'];
  const machine = spawn(
    'qemu-system-x86_64',
    [
      ...acceleration,
      '-smp',
      '2',
      '-m',
      '2048',
      '-nographic',
      '-no-reboot',
      '-nic',
      'none',
      '-kernel',
      kernel,
      '-initrd',
      initrd,
      '-drive',
      `file=${disk},format=raw,if=virtio,cache=unsafe`,
      '-append',
      kernelWords.join(' '),
    ],
    {stdio: ['ignore', 'pipe', 'inherit']},
  );
  const timer = setTimeout(() => machine.kill('SIGKILL'), limitMs);
  return new Promise((resolve) => {
    let text = '';
    machine.stdout.setEncoding('utf8').on('data', (piece) => {
      text += piece;
      process.stdout.write(piece);
    });
    machine.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

need('qemu-system-x86_64', 'qemu-system-x86');
need('mmdebstrap', 'mmdebstrap');
need('mke2fs', 'e2fsprogs');
const root = guestRoot();
const disk = await makeDisk(root);
let output = await boot(root, disk);
// A machine that starts again ends here.
if (/^guest: starts again/m.test(output)) output += await boot(root, disk);
const passed = (output.match(/^ok /gm) ?? []).length;
const failed = (output.match(/^not ok /gm) ?? []).length + (/^guest: all done/m.test(output) ? 0 : 1);
const held = (output.match(/^ {2}holds: /gm) ?? []).length;
console.log(`\n${passed} passed, ${failed} failed; ${held} claims hold`);
for (const line of output.match(/^ {2}does not hold: .*/gm) ?? []) console.log(line.trim());
process.exit(failed === 0 ? 0 : 1);
