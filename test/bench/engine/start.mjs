import {interleaved, timed} from './measure.mjs';
import {durations} from './report.mjs';

/** From the start of a container in a network to the news of its end: in one engine process, and as a whole command. */
export async function measureStart(bed, rounds = 15) {
  return [await startInProcess(bed, rounds), ...(await startAsCommand(bed, rounds))];
}

async function startInProcess(bed, rounds) {
  const side = (name) => async () => {
    const container = await bed.create(name, ['true']);
    const taken = await timed(async () => {
      await container.start();
      await container.wait();
    });
    await container.remove();
    return taken;
  };
  const taken = await interleaved(rounds, {tscompose: side('tscompose'), docker: side('docker')});
  return durations('start to exit, in one process', taken, 0.15);
}

/**
 * `tscompose up` of one service is its nearest command to `docker run`: it makes the container, starts it, shows its output
 * and ends with it. Podman makes a network as well, crun makes none.
 */
async function startAsCommand(bed, rounds) {
  // The network is there before, as it is for those that only run a container.
  const networks = {default: {name: bed.network, external: true}};
  const directory = bed.stack('start', {one: bed.service('true')}, {networks});
  const crunBundle = await bed.peers?.bundle('start', ['true']);
  let runs = 0;
  const upAndAway = (name) => async () => {
    const taken = await timed(() => bed.commands[name](directory, 'up'));
    await bed.commands[name](directory, 'down');
    return taken;
  };
  const sides = {
    tscompose: upAndAway('tscompose'),
    compose: upAndAway('compose'),
    docker: async () => {
      const words = ['--network', bed.network, '-v', `${bed.pump}:/pump:ro`, '--name', 'tscbench-start'];
      const taken = await timed(() => bed.commands.docker('run', ...words, 'busybox', '/pump', 'true'));
      await bed.commands.docker('rm', 'tscbench-start');
      return taken;
    },
    ...(bed.peers !== undefined && {
      podman: async () => {
        const words = ['--network', 'tscbench', '--name', 'tscbench-start'];
        const taken = await timed(() => bed.peers.podmanRun(...words, 'busybox', '/pump', 'true'));
        await bed.peers.podman('rm', 'tscbench-start');
        return taken;
      },
      crun: () => timed(() => bed.peers.crun('run', '--bundle', crunBundle, `tscbench-${runs++}`)),
    }),
  };
  // The first runs of a command keep its compiled code.
  for (let run = 0; run < 4; run += 1) await sides.tscompose();
  const {compose, ...taken} = await interleaved(rounds, sides);
  return [
    durations('start to exit, `up` beside `docker run`', taken, 0.5),
    durations('start to exit, `up` beside `docker compose up`', {tscompose: taken.tscompose, docker: compose}, 0.5),
  ];
}
