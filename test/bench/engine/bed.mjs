import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {build} from 'esbuild';
import {ensureImages} from '../../support/images/make.mjs';
import {oracle} from '../../support/oracle/started.mjs';
import {command} from './measure.mjs';
import {openPeers} from './peers.mjs';

const project = resolve(import.meta.dirname, '../../..');
/** In both engines. The names of networks and projects of stacks begin with it too. */
const network = 'tscbench';
/** Of containers without a project. */
const label = 'io.tscompose.bench';

/**
 * Everything the parts measure on, over the namespace that this process is in: the built-in engine and a real one through the
 * same client, their command lines, and Debian's podman and crun.
 * @param {{work: string, run: string, cgroupParent: string, peers: boolean}} options
 */
export async function openBed({work, run, cgroupParent, peers}) {
  const archive = ensureImages(['busybox'], console.error).busybox;
  const pump = join(work, 'pump');
  execFileSync('cc', ['-static', '-O2', '-o', pump, join(import.meta.dirname, 'pump.c')]);
  const {openBuiltin, openSocket, openUnpacker, registryProgram} = await importClient(work);
  const root = join(work, 'root');
  const helperPath = join(project, `dist/native/linux-${process.arch}/tscompose-helper`);
  const engines = {
    tscompose: await openBuiltin({root, run, cgroupParent, helperPath}),
    docker: openSocket(execFileSync(oracle, ['socket'], {encoding: 'utf8'}).trim()),
  };
  const unpacker = openUnpacker(helperPath);
  await engines.tscompose.followProgress(await engines.tscompose.loadImage({path: archive}));
  for (const docker of Object.values(engines)) {
    await removeContainers(docker);
    await removeNetworks(docker);
    await docker.createNetwork({Name: network});
  }
  const bed = {
    work,
    cgroupParent,
    engines,
    network,
    pump,
    /** Debian's docker-registry. */
    registryProgram,
    /** A layer in a file, into an empty directory. */
    unpack: (path, destination) => unpacker.unpack(path, destination),
    commands: commands({root, run, cgroupParent, work}),
    peers: peers ? await openPeers({work, archive, pump}) : undefined,
    /** A container whose program is `pump` with these words, in the network that all share. */
    create: (side, words, {HostConfig = {}, ...body} = {}) =>
      engines[side].createContainer({
        Image: 'busybox',
        Cmd: ['/pump', ...words],
        Labels: {[label]: '1'},
        HostConfig: {NetworkMode: network, Binds: [`${pump}:/pump:ro`], ...HostConfig},
        ...body,
      }),
    /** A directory with a stack file; the project's name is that of the directory. */
    stack(name, services, more = {}) {
      const directory = join(work, name);
      mkdirSync(directory, {recursive: true});
      writeFileSync(join(directory, 'compose.yaml'), JSON.stringify({name: `tscbench-${name}`, services, ...more}));
      return directory;
    },
    /** What a service of such a stack says to run `pump`. */
    service: (...words) => ({image: 'busybox', command: ['/pump', ...words], volumes: [`${pump}:/pump:ro`]}),
    /** Between two parts: what one has left running would be measured by the next one. */
    clear: async () => {
      for (const docker of Object.values(engines)) await removeContainers(docker);
    },
    async close() {
      await bed.peers?.close();
      await unpacker.close();
      for (const docker of Object.values(engines)) {
        await removeContainers(docker);
        await removeNetworks(docker);
        await docker.close();
      }
    },
  };
  return bed;
}

/** Whole commands, by side. The real ones are started without the script that finds them. */
function commands({root, run, cgroupParent, work}) {
  const say = (line) => execFileSync(oracle, ['sh', 'sh', '-c', line], {encoding: 'utf8'}).trim();
  const docker = say('command -v docker');
  const dockerEnvironment = {
    ...process.env,
    DOCKER_HOST: say('echo "$DOCKER_HOST"'),
    DOCKER_CONFIG: say('echo "$DOCKER_CONFIG"'),
  };
  const ourEnvironment = {
    PATH: process.env.PATH,
    HOME: work,
    TSCOMPOSE_ROOT: root,
    TSCOMPOSE_RUN: run,
    TSCOMPOSE_CGROUP_PARENT: cgroupParent,
  };
  return {
    tscompose: (directory, ...args) =>
      command(process.execPath, [join(project, 'dist/cli.cjs'), '--progress', 'quiet', ...args], {
        cwd: directory,
        env: ourEnvironment,
      }),
    compose: (directory, ...args) =>
      command(docker, ['compose', '--progress', 'quiet', ...args], {cwd: directory, env: dockerEnvironment}),
    docker: (...args) => command(docker, args, {env: dockerEnvironment}),
  };
}

/** The sources as they are, in one file: the oldest Node that is supported reads no TypeScript. */
async function importClient(work) {
  const outfile = join(work, 'client.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'client.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    logLevel: 'warning',
    banner: {js: "import {createRequire} from 'node:module'; const require = createRequire(import.meta.url);"},
  });
  return import(outfile);
}

/** Also what an earlier run has left that was killed. */
async function removeContainers(docker) {
  const containers = await docker.listContainers({all: true});
  const ours = containers.filter(
    ({Names, Labels}) => Labels[label] !== undefined || Names.some((name) => name.startsWith('/tscbench-')),
  );
  await Promise.all(ours.map(({Id}) => docker.getContainer(Id).remove({force: true, v: true})));
}

async function removeNetworks(docker) {
  const networks = await docker.listNetworks();
  for (const {Id} of networks.filter(({Name}) => Name.startsWith(network))) await docker.getNetwork(Id).remove();
}
