import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {outputOf} from './output.ts';

/** The ordinary user of the virtual machine. */
export const home = '/home/guest';
export const run = '/run/user/1000';
const directory = join(home, 'stack');

export const cgroups = '/sys/fs/cgroup';
/** What systemd gives to the user's own manager. */
export const userManager = join(cgroups, 'user.slice/user-1000.slice/user@1000.service');

const asUser = ['runuser', '-u', 'guest', '--', 'env', '-C', directory, `HOME=${home}`, `XDG_RUNTIME_DIR=${run}`];
const tscompose = ['/usr/local/bin/node', '/opt/tscompose/dist/cli.cjs'];

/** The user, whose own manager runs. */
export function makeUser(): void {
  if (existsSync(home)) return;
  outputOf(['useradd', '--create-home', '--uid', '1000', 'guest']);
  mkdirSync(directory);
  outputOf(['systemctl', 'start', 'user@1000.service']);
}

/** The words that run a command of the user in a cgroup of root's, as in a session of the machine's. */
export const sessionWords = (...args: readonly string[]) => [...asUser, ...tscompose, ...args];

export const inSession = (...args: readonly string[]) => outputOf(sessionWords(...args));

/** In a scope of the user's own manager. */
export const inScope = (...args: readonly string[]) =>
  outputOf([
    ...[...asUser, 'systemd-run', '--user', '--scope', '--quiet', '--property=Delegate=yes'],
    ...[...tscompose, ...args],
  ]);

/** The words that run it in a service of the machine's, whose first process is at the top of what the service is given. */
export const serviceWords = (unit: string, ...args: readonly string[]) => [
  ...['systemd-run', '--wait', '--pipe', '--quiet', `--unit=${unit}`, '--uid=guest', '--property=Delegate=yes'],
  ...[`--working-directory=${directory}`, `--setenv=HOME=${home}`, `--setenv=XDG_RUNTIME_DIR=${run}`],
  ...['--', ...tscompose, ...args],
];

export function writeStack(text: string): void {
  writeFileSync(join(directory, 'compose.yaml'), text);
}

export function idOf(service: string): string {
  return inSession('ps', '--all', '--quiet', '--no-trunc', service).trim();
}

/** The cgroups of the user's engine. That of root is at the very top, where it may have containers meanwhile. */
export function engineCgroups(): readonly string[] {
  return cgroupsBelow(cgroups).filter((path) => /\/tscompose-[0-9a-f]{10}$/.test(path.slice(cgroups.length + 1)));
}

/** One may go while the others are looked at, which a recursive `readdirSync` takes for an error. */
function cgroupsBelow(parent: string): readonly string[] {
  return entriesOf(parent).flatMap((path) => [path, ...cgroupsBelow(path)]);
}

function entriesOf(parent: string): readonly string[] {
  try {
    return readdirSync(parent, {withFileTypes: true})
      .filter((entry) => entry.isDirectory())
      .map(({name}) => join(parent, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export function cgroupOf(id: string): string {
  const [found = `no cgroup of ${id}`] = engineCgroups()
    .map((parent) => join(parent, id))
    .filter((path) => existsSync(path));
  return found;
}

export function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : `no ${path}`;
}
