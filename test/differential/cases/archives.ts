import {makeTar, type RawEntry} from '../../support/archive.ts';
import {readTar} from '../../support/read-tar.ts';
import type {Cases, Step} from '../case.ts';
import {containerOf} from '../case.ts';
import {create, exec, facts, line, run, running, start, wait} from '../steps.ts';

const tree = line(
  [
    'umask 022',
    'mkdir -p /t/d/e',
    'cd /t',
    'echo hi >f',
    'chmod 4755 f',
    'echo x >d/e/x',
    'chown 1234:5678 d/e/x',
    'chmod 1777 d',
    'ln -s d ld',
    'ln -s /t/d/e abs',
    'ln -s ../../../../etc up',
    'ln -s nope broken',
    'ln f h',
    'mkfifo p',
  ].join('\n'),
);

const get = (path: string): Step => ({
  label: `get ${path}`,
  async run(world) {
    const {stat, archive} = await containerOf(world, 'it').getArchive({path});
    const entries = Object.entries(await readTar(archive));
    return {
      stat: [told(stat)],
      entries: entries
        .map(([name, {type, mode, uid, gid, link, text}]) =>
          JSON.stringify({name, type, mode: mode.toString(8), uid, gid, link, text}),
        )
        .toSorted(),
    };
  },
});

const look = (path: string): Step => ({
  label: `path ${path}`,
  run: async (world) => [told(await containerOf(world, 'it').infoArchive({path}))],
});

/** The size of a directory is the file system's. */
function told({name, size, mode, linkTarget}: {name: string; size: number; mode: number; linkTarget: string}): string {
  return JSON.stringify({name, mode, linkTarget, ...(mode < 2 ** 31 ? {size} : {})});
}

const put = (
  path: string,
  entries: readonly RawEntry[],
  options: {readonly noOverwriteDirNonDir?: boolean} = {},
): Step => ({
  label: `put into ${path}`,
  async run(world) {
    const bytes = makeTar(entries);
    const source = (async function* () {
      yield bytes;
    })();
    await containerOf(world, 'it').putArchive(source, {path, ...options});
    return ['done'];
  },
});

/** What lies there afterwards, seen from a container that has been started by then. */
const list = (...paths: readonly string[]) =>
  exec({Cmd: ['sh', '-c', `find ${paths.join(' ')} | sort | xargs stat -c '%n %F %a %u:%g %s'`]});

export const archives: Cases = {
  'the path of a file': [tree, look('/t/f')],
  'the path of a directory': [tree, look('/t/d'), look('/t/d/'), look('/t/d/.')],
  'the path of a link': [tree, look('/t/ld'), look('/t/ld/'), look('/t/abs'), look('/t/up')],
  'the path of a link to nowhere': [tree, look('/t/broken')],
  'the path of the root': [tree, look('/')],
  'the path of a pipe': [tree, look('/t/p')],
  'a path that is relative': [tree, look('t/f')],
  'a path that leads out': [tree, look('/../../t/f')],
  'a path that is not there': [tree, look('/t/missing')],
  'a path below a file': [tree, look('/t/f/x')],
  'an empty path': [tree, look('')],
  'a file': [tree, get('/t/f')],
  'a directory': [tree, get('/t/d')],
  'the inside of a directory': [tree, get('/t/d/.')],
  'a link': [tree, get('/t/ld')],
  'what a link leads to': [tree, get('/t/ld/')],
  'a hard link': [tree, get('/t/h')],
  'what is not there': [tree, get('/t/missing')],
  'a file is put': [running(), put('/tmp', [{name: 'new', data: 'x\n', mode: 0o640, uid: 7, gid: 8}]), list('/tmp')],
  'a directory is put': [
    running(),
    put('/tmp', [
      {name: 'd/', type: '5', mode: 0o711, uid: 1, gid: 2},
      {name: 'd/f', data: 'y'},
      {name: 'd/l', type: '2', link: 'f'},
    ]),
    list('/tmp'),
  ],
  'directories that are missing are made': [running(), put('/tmp', [{name: 'a/b/c', data: 'z'}]), list('/tmp')],
  'a file is put over a file': [
    running(),
    put('/etc', [{name: 'passwd', data: 'root:x:0:0:::\n', mode: 0o600}]),
    list('/etc/passwd'),
  ],
  'a file is put over a directory': [running(), put('/', [{name: 'tmp', data: 'x'}]), list('/tmp')],
  'a file is not put over a directory': [
    running(),
    put('/', [{name: 'tmp', data: 'x'}], {noOverwriteDirNonDir: true}),
    list('/tmp'),
  ],
  'a directory is not put over a file': [
    running(),
    put('/etc', [{name: 'passwd/', type: '5'}], {noOverwriteDirNonDir: true}),
    list('/etc/passwd'),
  ],
  'files are put where nothing is': [running(), put('/missing', [{name: 'f'}])],
  'files are put into a file': [running(), put('/etc/passwd', [{name: 'f'}])],
  'files are put before the start': [
    create({Cmd: ['cat', '/tmp/given']}),
    put('/tmp', [{name: 'given', data: 'given\n'}]),
    start(),
    wait(),
  ],
  'files are put into a read-only root': [
    running({HostConfig: {ReadonlyRootfs: true}}),
    put('/tmp', [{name: 'f', data: 'x'}]),
  ],
  'what is no archive': [
    running(),
    {
      label: 'put',
      async run(world) {
        const source = (async function* () {
          yield Buffer.from('no archive at all');
        })();
        await containerOf(world, 'it').putArchive(source, {path: '/tmp'});
        return ['done'];
      },
    },
  ],
  'the root as it is before the first start': [create(), look('/etc/hosts'), look('/dev'), get('/etc/hostname')],
  'the root of one that has run': [run({Cmd: ['true']}), look('/etc/hosts'), look('/dev'), look('/proc')],
  'the whole root': [facts('root', {HostConfig: {Dns: ['192.0.2.53']}})],
};
