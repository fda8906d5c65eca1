// Makes the images that tests run, as docker-archive files, from Debian's packages: no registry is needed.
//   node test/support/images/make.mjs [NAME...]     busybox debian redis nginx postgres node quick (exits at once on SIGTERM)
// Cached in $TSCOMPOSE_TEST_CACHE/images or ~/.cache/tscompose-test/images, by version of this file. Root needed.
import {execFileSync, spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';

const versions = join(process.env.TSCOMPOSE_TEST_CACHE ?? join(homedir(), '.cache/tscompose-test'), 'images');
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const epoch = '1760000000';
const suite = /VERSION_CODENAME=(\S+)/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'bookworm';
const version = createHash('sha256')
  .update(readFileSync(new URL(import.meta.url), 'utf8'))
  .update(suite)
  .update(process.version)
  .digest('hex')
  .slice(0, 16);
const cache = join(versions, version);
/** Versions that nobody has asked for so long are removed; milliseconds. */
const keptUnusedFor = 7 * 24 * 60 * 60 * 1000;
const sh = (script, ...args) =>
  execFileSync('bash', ['-ec', script, 'bash', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive', SOURCE_DATE_EPOCH: epoch},
  });

function mirror() {
  for (const file of ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']) {
    if (!existsSync(file)) continue;
    const found = /^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(\S+)/m.exec(readFileSync(file, 'utf8'));
    if (found?.[1]) return found[1];
  }
  throw new Error('no source of Debian packages is configured in /etc/apt');
}

/** A tar of a directory as an image layer: sorted, numeric owners, file capabilities kept, fixed times. */
function tarLayer(directory, file) {
  sh(
    `tar --sort=name --numeric-owner --xattrs --xattrs-include='security.capability' --format=pax \
    --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --clamp-mtime --mtime=@${epoch} -C "$1" -cf "$2" .`,
    directory,
    file,
  );
}

const sha256 = (file) => sh('sha256sum "$1" | cut -d" " -f1', file).toString().trim();

/** A docker-archive: layers by digest, the image configuration, manifest.json. */
function writeArchive(name, tag, config, layers) {
  const work = mkdtempSync(join(cache, '.archive-'));
  try {
    const files = layers.map((layer) => {
      const digest = sha256(layer);
      linkSync(layer, join(work, `${digest}.tar`));
      return digest;
    });
    const image = {
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      created: new Date(Number(epoch) * 1000).toISOString(),
      config: {Env: [`PATH=${path}`], ...config},
      rootfs: {type: 'layers', diff_ids: files.map((digest) => `sha256:${digest}`)},
      history: files.map((digest) => ({
        created: new Date(Number(epoch) * 1000).toISOString(),
        created_by: `layer ${digest.slice(0, 12)}`,
      })),
    };
    const text = JSON.stringify(image);
    const configName = `${createHash('sha256').update(text).digest('hex')}.json`;
    writeFileSync(join(work, configName), text);
    writeFileSync(
      join(work, 'manifest.json'),
      JSON.stringify([
        {Config: configName, RepoTags: [`${name}:${tag}`], Layers: files.map((digest) => `${digest}.tar`)},
      ]),
    );
    sh(`cd "$1" && tar -cf ../.${name}.tmp --sort=name *`, work);
    renameSync(join(cache, `.${name}.tmp`), join(cache, `${name}.tar`));
  } finally {
    rmSync(work, {recursive: true, force: true});
  }
}

function busyboxRoot() {
  const root = join(cache, 'roots/busybox');
  if (existsSync(root)) return root;
  const staging = mkdtempSync(join(cache, 'roots/.tmp-'));
  for (const directory of [
    'bin',
    'dev',
    'etc',
    'home',
    'proc',
    'root',
    'sys',
    'usr/bin',
    'usr/sbin',
    'sbin',
    'var/log',
    'var/www',
    'run',
    'lib',
    'tmp',
    'var/tmp',
  ])
    mkdirSync(join(staging, directory), {recursive: true});
  for (const directory of ['tmp', 'var/tmp']) chmodSync(join(staging, directory), 0o1777);
  const program = ['/bin/busybox', '/usr/bin/busybox'].find((candidate) => existsSync(candidate));
  if (program === undefined) throw new Error('busybox is missing: apt-get install busybox-static');
  copyFileSync(program, join(staging, 'bin/busybox'));
  chmodSync(join(staging, 'bin/busybox'), 0o755);
  for (const applet of execFileSync(program, ['--list'], {encoding: 'utf8'}).split('\n'))
    if (applet !== '' && applet !== 'busybox') linkSync(join(staging, 'bin/busybox'), join(staging, 'bin', applet));
  writeFileSync(
    join(staging, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\napp:x:1000:1000:app:/home/app:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
  );
  writeFileSync(
    join(staging, 'etc/group'),
    'root:x:0:\ndaemon:x:1:\nstaff:x:50:app\nwww-data:x:33:\napp:x:1000:\nnogroup:x:65534:\n',
  );
  symlinkSync('../bin/env', join(staging, 'usr/bin/env'));
  renameSync(staging, root);
  return root;
}

function debianRoot() {
  const root = join(cache, 'roots/debian');
  if (existsSync(root)) return root;
  const staging = mkdtempSync(join(cache, 'roots/.tmp-'));
  const without = ['man', 'locale', 'info', 'lintian', 'groff', 'doc'].map(
    (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
  );
  execFileSync(
    'mmdebstrap',
    [
      '--quiet',
      '--variant=minbase',
      '--mode=root',
      ...without,
      '--dpkgopt=path-include=/usr/share/doc/*/copyright',
      '--aptopt=Acquire::Languages "none"',
      '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/log/*.log "$1"/var/log/apt',
      suite,
      staging,
      mirror(),
    ],
    {stdio: ['ignore', 'ignore', 'inherit']},
  );
  chmodSync(staging, 0o755);
  renameSync(staging, root);
  return root;
}

/** Runs a script in the Debian root and returns the directory with what it changed, in layer form. */
function debianStep(name, script) {
  const base = debianRoot();
  const work = mkdtempSync(join(cache, `roots/.step-${name}-`));
  const [upper, scratch, merged] = ['upper', 'scratch', 'merged'].map((part) => join(work, part));
  for (const directory of [upper, scratch, merged]) mkdirSync(directory);
  sh(
    `mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4"
    trap 'umount "$4/dev" "$4/proc" 2>/dev/null || true; umount "$4"' EXIT
    mount -t proc proc "$4/proc"; mount --bind /dev "$4/dev"
    cp --remove-destination /etc/resolv.conf "$4/etc/resolv.conf"
    printf '#!/bin/sh\\nexit 101\\n' > "$4/usr/sbin/policy-rc.d"; chmod +x "$4/usr/sbin/policy-rc.d"
    chroot "$4" /bin/sh -ec "$5" >"$6" 2>&1 || { tail -20 "$6" >&2; exit 1; }
    rm -rf "$4/usr/sbin/policy-rc.d" "$4"/var/lib/apt/lists/* "$4"/var/cache/apt/* "$4"/var/log/*.log "$4"/var/log/apt; rm -f "$4/etc/resolv.conf"`,
    base,
    upper,
    scratch,
    merged,
    script,
    join(work, 'log'),
  );
  // Overlay marks become layer marks: a character device 0:0 is a removed name, an opaque directory hides what is below.
  sh(
    `cd "$1"; find . -type c -print0 | while IFS= read -r -d '' f; do if [ "$(stat -c '%t:%T' "$f")" = 0:0 ]; then rm -f "$f"; : > "$(dirname "$f")/.wh.$(basename "$f")"; fi; done
    find . -type d -print0 | while IFS= read -r -d '' d; do if [ "$(getfattr -h --only-values -n trusted.overlay.opaque "$d" 2>/dev/null)" = y ]; then : > "$d/.wh..wh..opq"; fi; done`,
    upper,
  );
  return {upper, work};
}

const install = (packages) => `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${packages}`;

function debianLayer() {
  const file = join(cache, 'roots/debian.layer.tar');
  if (!existsSync(file)) {
    tarLayer(debianRoot(), `${file}.tmp`);
    renameSync(`${file}.tmp`, file);
  }
  return file;
}

function debianImage(name, tag, script, config, extend = () => {}) {
  const {upper, work} = debianStep(name, script);
  try {
    extend(upper);
    const layer = join(work, 'layer.tar');
    tarLayer(upper, layer);
    writeArchive(name, tag, config, [debianLayer(), layer]);
  } finally {
    rmSync(work, {recursive: true, force: true});
  }
}

/** The entry point of the postgres image: makes a cluster on first use, then runs the server as postgres. */
const postgresEntrypoint = `#!/bin/bash
set -e
export PGDATA=\${PGDATA:-/var/lib/postgresql/data}
if [ "$1" = postgres ] && [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi
if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -n "$POSTGRES_PASSWORD_FILE" ]; then POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); fi
  if [ -z "$POSTGRES_PASSWORD" ]; then echo "POSTGRES_PASSWORD is not set" >&2; exit 1; fi
  initdb -U "\${POSTGRES_USER:-postgres}" --pwfile=<(printf '%s\\n' "$POSTGRES_PASSWORD") >/dev/null
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  echo "listen_addresses='*'" >> "$PGDATA/postgresql.conf"
fi
exec "$@"
`;

/** A program that exits at once on SIGTERM: for measuring the engine and not the grace of a program. */
const quickSource = `#include <signal.h>
#include <unistd.h>
static void leave(int number) { (void)number; _exit(0); }
int main(void) { signal(SIGTERM, leave); signal(SIGINT, leave); for (;;) pause(); }
`;

const recipes = {
  busybox() {
    const layer = join(cache, '.busybox.layer.tar');
    tarLayer(busyboxRoot(), layer);
    writeArchive('busybox', 'latest', {Cmd: ['sh']}, [layer]);
    rmSync(layer);
  },
  quick() {
    const work = mkdtempSync(join(cache, '.quick-'));
    try {
      mkdirSync(join(work, 'root/bin'), {recursive: true});
      writeFileSync(join(work, 'quick.c'), quickSource);
      execFileSync('cc', ['-static', '-Os', '-o', join(work, 'root/bin/quick'), join(work, 'quick.c')]);
      tarLayer(busyboxRoot(), join(work, 'busybox.tar'));
      tarLayer(join(work, 'root'), join(work, 'quick.tar'));
      writeArchive('quick', 'latest', {Cmd: ['/bin/quick']}, [join(work, 'busybox.tar'), join(work, 'quick.tar')]);
    } finally {
      rmSync(work, {recursive: true, force: true});
    }
  },
  debian: () => writeArchive('debian', 'latest', {Cmd: ['bash']}, [debianLayer()]),
  redis: () =>
    debianImage('redis', 'latest', `${install('redis-server')} && mkdir -p /data && chown redis:redis /data`, {
      Entrypoint: ['redis-server'],
      Cmd: ['--protected-mode', 'no', '--dir', '/data'],
      ExposedPorts: {'6379/tcp': {}},
      Volumes: {'/data': {}},
      WorkingDir: '/data',
      User: 'redis',
    }),
  nginx: () =>
    debianImage(
      'nginx',
      'latest',
      `${install('nginx-light')} && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log`,
      {
        Cmd: ['nginx', '-g', 'daemon off;'],
        ExposedPorts: {'80/tcp': {}},
        StopSignal: 'SIGQUIT',
      },
    ),
  postgres: () =>
    debianImage(
      'postgres',
      'latest',
      `${install('postgresql')} && rm -rf /var/lib/postgresql/*/ && mkdir -p /var/lib/postgresql/data && chown postgres:postgres /var/lib/postgresql/data && for tool in /usr/lib/postgresql/*/bin/*; do ln -sf "$tool" /usr/local/bin/; done`,
      {
        Env: [`PATH=${path}`, 'PGDATA=/var/lib/postgresql/data'],
        Entrypoint: ['docker-entrypoint.sh'],
        Cmd: ['postgres'],
        ExposedPorts: {'5432/tcp': {}},
        Volumes: {'/var/lib/postgresql/data': {}},
        StopSignal: 'SIGINT',
      },
      (upper) => {
        mkdirSync(join(upper, 'usr/local/bin'), {recursive: true});
        writeFileSync(join(upper, 'usr/local/bin/docker-entrypoint.sh'), postgresEntrypoint, {mode: 0o755});
      },
    ),
  node: () =>
    debianImage(
      'node',
      'latest',
      `${install('libstdc++6 libatomic1')} && groupadd -g 1000 node && useradd -u 1000 -g node -s /bin/bash -m node`,
      {Cmd: ['node']},
      (upper) => {
        mkdirSync(join(upper, 'usr/local/bin'), {recursive: true});
        copyFileSync(process.execPath, join(upper, 'usr/local/bin/node'));
        chmodSync(join(upper, 'usr/local/bin/node'), 0o755);
      },
    ),
};

/** Makes what is missing and returns the paths of the archives by name. Of several processes that ask at once, one makes. */
export function ensureImages(names = Object.keys(recipes), log = () => {}) {
  const unknown = names.find((name) => recipes[name] === undefined);
  if (unknown !== undefined)
    throw new Error(`no recipe for image "${unknown}" (known: ${Object.keys(recipes).join(', ')})`);
  mkdirSync(join(cache, 'roots'), {recursive: true});
  const now = new Date();
  utimesSync(cache, now, now);
  const missing = (name) => !existsSync(join(cache, `${name}.tar`));
  if (names.some(missing)) {
    const release = takeTurn();
    try {
      removeUnused();
      for (const name of names.filter(missing)) make(name, log);
    } finally {
      release();
    }
  }
  return Object.fromEntries(names.map((name) => [name, join(cache, `${name}.tar`)]));
}

function make(name, log) {
  const start = Date.now();
  recipes[name]();
  const megabytes = Math.round(lstatSync(join(cache, `${name}.tar`)).size / 1e6);
  log(`image ${name}: ${megabytes} MB in ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

/** A lock that its holder's end frees: flock(1) holds it as long as its standard input is open. */
function takeTurn() {
  // Of an earlier process with the same number.
  rmSync(turnFile(), {force: true});
  const lock = spawn('flock', [join(cache, '.lock'), 'sh', '-c', `: >"$1"; cat >"$2"`, 'sh', turnFile(), '/dev/null'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  while (!existsSync(turnFile())) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  return () => {
    rmSync(turnFile(), {force: true});
    lock.stdin.destroy();
  };
}

const turnFile = () => join(cache, `.turn-${process.pid}`);

function removeUnused() {
  for (const entry of readdirSync(versions)) {
    const directory = join(versions, entry);
    if (entry !== version && Date.now() - lstatSync(directory).mtimeMs > keptUnusedFor)
      rmSync(directory, {recursive: true, force: true});
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const names = process.argv.slice(2);
  for (const file of Object.values(ensureImages(names.length > 0 ? names : undefined, console.error)))
    console.log(file);
}
