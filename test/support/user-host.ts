import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {type CommandOptions, type CommandResult, eventually, execute, projectDirectory} from './host.ts';
import {imageArchive, type TestImage} from './test-images.ts';
import {packageDirectory, type UserPackage} from './user-packages.ts';

const cliPath = join(projectDirectory, 'dist/cli.cjs');

/** How many ids a user gets besides the own one, where it gets any. */
const subordinateIds = 65_536;

/**
 * An ordinary user of a machine, with HOME, XDG_DATA_HOME and XDG_RUNTIME_DIR of its own. The machine's programs and lists of
 * users are its own too (a mount namespace), and so is the network: what was installed for it is seen by nobody else.
 */
export interface UserHost extends AsyncDisposable {
  readonly userId: number;
  /** An empty directory of the user's for stack files. */
  readonly directory: string;
  readonly root: string;
  readonly run: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs the built command line as the user, without any capability. */
  tscompose(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** The same in a process in which root has run a line of shell first, as systemd gives a cgroup to whoever it starts. */
  tscomposeAfter(line: string, args: readonly string[]): Promise<CommandResult>;
  /** Runs any command as the user. */
  command(program: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs a command as root, on the user's machine. */
  asRoot(program: string, args: readonly string[]): Promise<CommandResult>;
  loadImages(names: readonly TestImage[]): Promise<void>;
  /** Every process that the user or one of its subordinate ids has. */
  processes(): readonly UserProcess[];
  /** What a project left after `down -v`, once the keeper has ended. */
  leftovers(): readonly string[];
}

export interface UserProcess {
  readonly pid: number;
  readonly userId: number;
  readonly name: string;
  readonly words: string;
}

export async function makeUserHost(packages: readonly UserPackage[] = []): Promise<UserHost> {
  const id = randomBytes(3).readUIntBE(0, 3);
  // Of no user of the machine, and of no other test: 2 ** 24 users, with room for the subordinate ids of each below 2 ** 32.
  const userId = 100_000_000 + id;
  const firstSubordinate = 1_000_000_000 + (id % 40_000) * subordinateIds;
  const base = mkdtempSync('/tmp/tsu-');
  chmodSync(base, 0o755);
  const own = (name: string): string => {
    const path = join(base, name);
    mkdirSync(path, {mode: 0o700});
    chownSync(path, userId, userId);
    return path;
  };
  const [home, data, runtime, directory] = [own('home'), own('data'), own('runtime'), own('work')];
  const installed = packages.map((name) => packageDirectory(name));
  const machine = await startMachine({base, userId, firstSubordinate, installed, ids: packages.includes('ids')});
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: home,
    LANG: 'C.UTF-8',
    XDG_DATA_HOME: data,
    XDG_RUNTIME_DIR: runtime,
  };
  const enter = [`--mount=/proc/${machine.pid}/ns/mnt`, `--net=/proc/${machine.pid}/ns/net`, '--'];
  const asRoot = (program: string, args: readonly string[]) =>
    execute('/usr/bin/nsenter', [...enter, program, ...args], {env});
  // Where no program with the rights of root is meant to be needed, none can have any.
  const confined = packages.includes('ids') ? [] : ['--no-new-privs', '--bounding-set=-all'];
  const asUser = (cwd: string, program: string, args: readonly string[]) => [
    ...['setpriv', `--reuid=${userId}`, `--regid=${userId}`, '--clear-groups', ...confined, '--'],
    ...['env', '-C', cwd, program, ...args],
  ];
  const command = (program: string, args: readonly string[], options: CommandOptions = {}) =>
    execute('/usr/bin/nsenter', [...enter, ...asUser(options.cwd ?? directory, program, args)], {
      ...options,
      cwd: '/',
      env: {...env, ...options.env},
    });
  const tscompose = (args: readonly string[], options?: CommandOptions) =>
    command(process.execPath, [cliPath, ...args], options);
  const tscomposeAfter = (line: string, args: readonly string[]) =>
    asRoot('sh', [...['-c', `${line} && exec "$@"`, 'sh'], ...asUser(directory, process.execPath, [cliPath, ...args])]);
  const belongs = (uid: number) =>
    uid === userId || (uid >= firstSubordinate && uid < firstSubordinate + subordinateIds);
  const processes = () => readUserProcesses().filter((process) => belongs(process.userId));
  const root = join(data, 'tscompose');
  const run = join(runtime, 'tscompose');
  return {
    ...{userId, directory, root, run, env, tscompose, tscomposeAfter, command, asRoot, processes},
    async loadImages(names) {
      for (const name of names) {
        const archive = join(directory, `.${name}.tar`);
        cpSync(imageArchive(name), archive);
        chmodSync(archive, 0o644);
        const {code, stderr} = await tscompose(['load', '-q', '-i', archive]);
        rmSync(archive);
        if (code !== 0) throw new Error(`load ${name}: ${stderr}`);
      }
    },
    leftovers: () => [
      ...processes().map(({pid, words}) => `process ${pid}: ${words}`),
      ...['containers', 'networks'].flatMap((kind) =>
        [join(root, kind), join(run, kind)].flatMap((path) => entries(path).map((name) => `${path}/${name}`)),
      ),
      ...entries(join(root, 'volumes')).map((name) => `volume ${name}`),
      ...entries(run)
        .filter((name) => ['keeper.json', 'keeper-old.json', 'keeper.sock'].includes(name))
        .map((name) => `${run}/${name}`),
    ],
    async [Symbol.asyncDispose]() {
      for (const {pid} of processes()) end(pid);
      await eventually(() => {
        for (const {pid} of processes()) end(pid);
        if (processes().length > 0) throw new Error(`processes of user ${userId} do not end`);
      });
      machine.end();
      rmSync(base, {recursive: true, force: true});
    },
  };
}

interface MachineRequest {
  readonly base: string;
  readonly userId: number;
  readonly firstSubordinate: number;
  readonly installed: readonly string[];
  readonly ids: boolean;
}

/** A process that keeps the mount and the network namespace of the user's machine. */
async function startMachine(request: MachineRequest): Promise<{readonly pid: number; end(): void}> {
  const {base, userId, firstSubordinate, installed, ids} = request;
  const overlay = join(base, 'machine');
  for (const name of ['usr', 'usr-work', 'etc', 'etc-work']) mkdirSync(join(overlay, name), {recursive: true});
  for (const directory of installed)
    cpSync(join(directory, 'usr'), join(overlay, 'usr'), {recursive: true, verbatimSymlinks: true});
  restoreSetuid(join(overlay, 'usr'));
  const etc = (name: string, more: string) =>
    writeFileSync(
      join(overlay, 'etc', name),
      `${existsSync(`/etc/${name}`) ? readFileSync(`/etc/${name}`, 'utf8') : ''}${more}`,
    );
  etc('passwd', `tsu${userId}:x:${userId}:${userId}::/nonexistent:/bin/sh\n`);
  etc('group', `tsu${userId}:x:${userId}:\n`);
  etc('subuid', ids ? `tsu${userId}:${firstSubordinate}:${subordinateIds}\n` : '');
  etc('subgid', ids ? `tsu${userId}:${firstSubordinate}:${subordinateIds}\n` : '');
  const script = [
    `mount -t overlay overlay -o lowerdir=/usr,upperdir=${overlay}/usr,workdir=${overlay}/usr-work /usr`,
    `mount -t overlay overlay -o lowerdir=/etc,upperdir=${overlay}/etc,workdir=${overlay}/etc-work /etc`,
    // As udev leaves it: open to everybody, since whoever has it can do nothing outside a network namespace of one's own.
    `mknod -m 666 ${overlay}/tun c 10 200`,
    `mount --bind ${overlay}/tun /dev/net/tun`,
    'ip link set lo up',
    'echo ready',
    'exec sleep 100000',
  ].join('\n');
  const child = spawn('unshare', ['--mount', '--net', '--propagation=private', 'sh', '-ec', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`the user's machine was not made (exit code ${code})`)));
  });
  return {
    pid: child.pid ?? 0,
    end: () => void child.kill('SIGKILL'),
  };
}

/** A copy loses the mark. */
function restoreSetuid(usr: string): void {
  for (const name of ['newuidmap', 'newgidmap']) {
    const path = join(usr, 'bin', name);
    if (existsSync(path)) chmodSync(path, 0o4755);
  }
}

function readUserProcesses(): readonly UserProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name): UserProcess[] => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        // One that has ended and is not reaped yet holds nothing.
        if (/^State:\s+[ZX]/m.test(status)) return [];
        return [
          {
            pid: Number(name),
            userId: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]),
            name: /^Name:\t(.*)$/m.exec(status)?.[1] ?? '',
            words: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
          },
        ];
      } catch {
        return [];
      }
    });
}

function entries(path: string): readonly string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
