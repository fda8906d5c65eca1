import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, renameSync, rmSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';

/** What an administrator may install: for those who run containers without root, and around registries. By the package that has it. */
export const userPackages = {
  ids: ['uidmap'],
  pasta: ['passt'],
  slirp4netns: ['slirp4netns', 'libslirp0'],
  registry: ['docker-registry'],
  ssh: ['openssh-server', 'libwrap0'],
  skopeo: ['skopeo', 'libgpgme11', 'libassuan0', 'libdevmapper1.02.1'],
} as const;

export type UserPackage = keyof typeof userPackages;

const cache = join(process.env['TSCOMPOSE_TEST_CACHE'] ?? join(homedir(), '.cache/tscompose-test'), 'user-packages');

/** A directory with the content of Debian's packages, downloaded once. */
export function packageDirectory(name: UserPackage): string {
  const directory = join(cache, name);
  if (existsSync(directory)) return directory;
  mkdirSync(cache, {recursive: true});
  const staging = mkdtempSync(join(cache, '.tmp-'));
  const unpacked = join(staging, 'content');
  mkdirSync(unpacked);
  const shell =
    'apt-get download -qq -o Acquire::Retries=5 "$@" && for file in *.deb; do dpkg-deb -x "$file" content; done';
  execFileSync('sh', ['-ec', shell, 'sh', ...userPackages[name]], {cwd: staging, stdio: ['ignore', 'pipe', 'pipe']});
  try {
    renameSync(unpacked, directory);
  } catch (error) {
    // Another test worker was quicker.
    if (!existsSync(directory)) throw error;
  }
  rmSync(staging, {recursive: true, force: true});
  return directory;
}
