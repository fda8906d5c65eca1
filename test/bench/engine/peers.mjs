import {execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {command} from './measure.mjs';

const cache = join(process.env.TSCOMPOSE_TEST_CACHE ?? join(homedir(), '.cache/tscompose-test'), 'peers');
/** Above podman's containers. */
const cgroup = 'tscbench-podman';
const packages = ['podman', 'crun', 'netavark', 'aardvark-dns'];

/**
 * Debian's podman and crun, which are not installed: their files lie over the machine's in a mount namespace of their own.
 * There they see no second hierarchy of cgroups either: crun refuses machines that have controllers in both.
 * @param {{work: string, archive: string, pump: string}} options
 */
export async function openPeers({work, archive, pump}) {
  const files = fetchPeers();
  const holder = spawn('unshare', ['--mount', '--net', 'sh', '-ec', surroundings, 'sh', files], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // It ends with its input: a signal to all of us would take away what is needed to clean up.
    detached: true,
  });
  await new Promise((resolve, reject) => {
    holder.stdout.once('data', resolve);
    holder.once('close', (code) => reject(new Error(`cannot set up podman and crun: ended with ${code}`)));
  });
  const inside = (program, args, options) =>
    command(
      'nsenter',
      [`--mount=/proc/${holder.pid}/ns/mnt`, `--net=/proc/${holder.pid}/ns/net`, '--', program, ...args],
      options,
    );
  const places = ['--root', join(work, 'podman/root'), '--runroot', join(work, 'podman/run')];
  const ways = [
    '--runtime',
    'crun',
    '--cgroup-manager',
    'cgroupfs',
    '--events-backend',
    'none',
    '--network-backend',
    'netavark',
  ];
  const networks = ['--network-config-dir', join(work, 'podman/networks')];
  const podman = (...args) => inside('podman', [...places, ...ways, ...networks, ...args]);
  const crunWith = (options, args) =>
    inside('crun', ['--root', join(work, 'crun/state'), '--cgroup-manager', 'cgroupfs', ...args], options);
  const crun = (...args) => crunWith({}, args);
  /** What runs on has the descriptors of who started it: with our pipes, their end would be waited for. */
  const crunDetached = (...args) => crunWith({stdio: 'ignore'}, ['run', '--detach', ...args]);
  const removeCrun = () => crun('delete', '--force', 'tscbench-exec').catch(() => {});
  mkdirSync(join(work, 'podman/networks'), {recursive: true});
  await podman('rm', '-af', '-t', '0');
  await removeCrun();
  await podman('load', '-q', '-i', archive);
  if (!existsSync(join(work, 'podman/networks/tscbench.json'))) await podman('network', 'create', 'tscbench');
  return {
    podman,
    /** With a log and limits that every machine has: podman's own may be above the machine's. */
    podmanRun: (...args) =>
      podman(
        'run',
        '--ulimit',
        'nofile=1024:1024',
        '--ulimit',
        'nproc=1024:1024',
        '--cgroup-parent',
        cgroup,
        '--log-driver',
        'k8s-file',
        '-v',
        `${pump}:/pump:ro`,
        ...args,
      ),
    crun,
    crunDetached,
    /** A directory for `crun run`, with the program of this command. */
    bundle: async (name, words) => {
      const directory = join(work, 'crun', name);
      const root = join(directory, 'rootfs');
      mkdirSync(root, {recursive: true});
      execFileSync('sh', [
        '-ec',
        'tar -xOf "$1" "$(tar -xOf "$1" manifest.json | grep -o "[0-9a-f]*\\.tar")" | tar -x -C "$2"; cp "$3" "$2/pump"',
        'sh',
        archive,
        root,
        pump,
      ]);
      await inside('crun', ['spec', '--bundle', directory]);
      const spec = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'));
      Object.assign(spec.process, {terminal: false, args: ['/pump', ...words]});
      writeFileSync(join(directory, 'config.json'), JSON.stringify(spec));
      return directory;
    },
    async close() {
      await removeCrun();
      await podman('rm', '-af', '-t', '0');
      // It leaves the cgroup above its containers in each hierarchy; mounts and networks go with their namespaces.
      const empty = ['-depth', '-type', 'd', '-path', `*/${cgroup}*`, '-exec', 'rmdir', '{}', '+'];
      await command('find', ['/sys/fs/cgroup', ...empty]).catch(() => {});
      holder.stdin.end();
      await new Promise((resolve) => holder.once('close', resolve));
    },
  };
}

/** Run once: afterwards it waits until its input ends. */
const surroundings = `
mount --make-rprivate /
mount -t overlay -o "lowerdir=$1/usr:/usr" overlay /usr
mount -t overlay -o "lowerdir=$1/etc:/etc" overlay /etc
! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
ip link set lo up
echo ready
exec cat >/dev/null
`;

/** The files of the packages and of what they need beyond what is installed, unpacked where nothing finds them by itself. */
export function fetchPeers() {
  const files = join(cache, 'files');
  if (existsSync(files)) return files;
  const staging = `${files}.tmp-${process.pid}`;
  mkdirSync(join(staging, 'debs'), {recursive: true});
  mkdirSync(join(staging, 'files/etc'), {recursive: true});
  const quiet = ['-qq', '-o', 'APT::Sandbox::User=root'];
  const apt = (...args) => execFileSync('apt-get', [...quiet, ...args], {encoding: 'utf8', cwd: join(staging, 'debs')});
  apt('update');
  const plan = apt('-s', 'install', '--no-install-recommends', ...packages);
  const wanted = [...plan.matchAll(/^Inst (\S+) \(/gm)].map(([, name]) => name);
  apt('download', ...(wanted.length > 0 ? wanted : packages));
  execFileSync('sh', ['-ec', 'for file in debs/*.deb; do dpkg-deb -x "$file" files; done'], {cwd: staging});
  renameSync(join(staging, 'files'), files);
  rmSync(staging, {recursive: true, force: true});
  return files;
}
