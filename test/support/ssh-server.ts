import {execFileSync, spawn} from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type CommandResult, cliPath, eventually, type TestHost} from './host.ts';
import {packageDirectory} from './user-packages.ts';

/** Debian's sshd on the loopback of a test's machine, at ports 22 and 2222, with a key of its own; one key gets in, as `git`. */
export interface SshServer extends AsyncDisposable {
  /** Of an agent that has the key. */
  readonly agent: string;
  /** Of an agent that has none. */
  readonly emptyAgent: string;
  /** Runs the built command line for somebody whose `~/.ssh` knows the server, or does not. */
  tscompose(args: readonly string[], options?: ClientOptions): Promise<CommandResult>;
  /** What the server says of who came. */
  log(): string;
}

export interface ClientOptions {
  /** `other`: by a key that is not the server's. */
  readonly knowsServer?: boolean | 'other';
  readonly env?: Readonly<Record<string, string>>;
}

/** sshd wants a user of its own and an empty directory: in a mount namespace of its own it has both. */
const serverScript = `
cp /etc/passwd "$1/passwd"; echo 'sshd:x:65533:65533::/run/sshd:/usr/sbin/nologin' >> "$1/passwd"
echo 'git:x:0:0::/:/bin/sh' >> "$1/passwd"
mount --bind "$1/passwd" /etc/passwd; mount -t tmpfs none /run; mkdir -m 755 /run/sshd
exec "$2" -D -e -f "$1/sshd_config"`;

/** ssh looks for known hosts in the home of the user database, whatever HOME says. */
const clientScript = `
home=$(getent passwd 0 | cut -d: -f6)
mount -t overlay none -o "lowerdir=$home,upperdir=$1/home,workdir=$1/work" "$home"; shift
exec "$@"`;

export async function startSshServer(host: TestHost): Promise<SshServer> {
  const directory = mkdtempSync(join(tmpdir(), 'tscompose-ssh-'));
  const within = ['/usr/bin/nsenter', `--net=/run/netns/${host.namespace}`, '--', '/usr/bin/unshare', '-m', '--'];
  const place = (name: string) => join(directory, name);
  for (const name of ['host_key', 'key'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', place(name)]);
  copyFileSync(place('key.pub'), place('authorized_keys'));
  const settings = [
    ...[
      'ListenAddress 127.0.0.1:22',
      'ListenAddress 127.0.0.1:2222',
      `HostKey ${place('host_key')}`,
      'PidFile none',
      'StrictModes no',
    ],
    ...[
      `AuthorizedKeysFile ${place('authorized_keys')}`,
      'PermitRootLogin prohibit-password',
      'UsePAM no',
      'UseDNS no',
    ],
  ];
  writeFileSync(place('sshd_config'), `${settings.join('\n')}\n`);
  const program = packageDirectory('ssh');
  const sshd = spawn(
    within[0] ?? '',
    [...within.slice(1), 'sh', '-ec', serverScript, 'sh', directory, join(program, 'usr/sbin/sshd')],
    {env: {PATH: process.env['PATH'], LD_LIBRARY_PATH: libraries(program)}, stdio: ['ignore', 'ignore', 'pipe']},
  );
  let said = '';
  sshd.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const agents = ['agent', 'empty'].map((name) => spawn('ssh-agent', ['-D', '-a', place(name)], {stdio: 'ignore'}));
  const ended = [sshd, ...agents].map((child) => new Promise((resolve) => child.once('close', resolve)));
  await eventually(() => {
    if (!said.includes('Server listening on 127.0.0.1 port 22')) throw new Error(`sshd does not listen: ${said}`);
    if (!existsSync(place('empty'))) throw new Error('there is no agent');
    execFileSync('ssh-add', ['-q', place('key')], {
      env: {...process.env, SSH_AUTH_SOCK: place('agent')},
      stdio: 'ignore',
    });
  });
  let clients = 0;
  return {
    agent: place('agent'),
    emptyAgent: place('empty'),
    log: () => said,
    async tscompose(args, {knowsServer = true, env = {}} = {}) {
      const client = place(`client${clients++}`);
      mkdirSync(join(client, 'home/.ssh'), {recursive: true, mode: 0o700});
      mkdirSync(join(client, 'work'));
      const key = knowsServer === 'other' ? 'key.pub' : 'host_key.pub';
      const known = `127.0.0.1 ${readFileSync(place(key), 'utf8')}`;
      if (knowsServer) writeFileSync(join(client, 'home/.ssh/known_hosts'), known, {mode: 0o600});
      const command = [process.execPath, cliPath, ...args];
      const words = ['-m', '--', 'sh', '-ec', clientScript, 'sh', client, ...command];
      return await host.command('unshare', words, {env});
    },
    async [Symbol.asyncDispose]() {
      for (const child of [sshd, ...agents]) child.kill('SIGTERM');
      await Promise.all(ended);
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

function libraries(directory: string): string {
  const names = readdirSync(join(directory, 'usr/lib'));
  return join(directory, 'usr/lib', names.find((name) => name.endsWith('-linux-gnu')) ?? '');
}
