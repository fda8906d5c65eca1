import {interleaved, timed} from './measure.mjs';
import {durations} from './report.mjs';

/** A program that ends at once in a container that runs: in one engine process, and as a whole command. */
export async function measureExec(bed, rounds = 15) {
  return [await execInProcess(bed, rounds), ...(await execAsCommand(bed, rounds))];
}

async function execInProcess(bed, rounds) {
  const side = async (name) => {
    const container = await bed.create(name, ['idle']);
    await container.start();
    return () =>
      timed(async () => {
        const exec = await container.exec({Cmd: ['/pump', 'true'], AttachStdout: true, AttachStderr: true});
        for await (const _ of (await exec.start()).output);
        const {ExitCode} = await exec.inspect();
        if (ExitCode !== 0) throw new Error(`exec on ${name} ended with ${ExitCode}`);
      });
  };
  const taken = await interleaved(rounds, {tscompose: await side('tscompose'), docker: await side('docker')});
  return durations('exec, in one process', taken, 0.2);
}

async function execAsCommand(bed, rounds) {
  const directory = bed.stack('exec', {one: bed.service('idle')});
  const container = 'tscbench-exec-one-1';
  for (const name of ['tscompose', 'compose']) await bed.commands[name](directory, 'up', '-d');
  const peers = bed.peers === undefined ? undefined : await peersThatRun(bed);
  try {
    const sides = {
      tscompose: () => timed(() => bed.commands.tscompose(directory, 'exec', '-T', 'one', '/pump', 'true')),
      compose: () => timed(() => bed.commands.compose(directory, 'exec', '-T', 'one', '/pump', 'true')),
      docker: () => timed(() => bed.commands.docker('exec', container, '/pump', 'true')),
      ...peers?.sides,
    };
    // The first runs of a command keep its compiled code.
    for (let run = 0; run < 4; run += 1) await sides.tscompose();
    const {compose, ...taken} = await interleaved(rounds, sides);
    return [
      durations('`exec` beside `docker exec`', taken, 1),
      durations('`exec` beside `docker compose exec`', {tscompose: taken.tscompose, docker: compose}, 1),
    ];
  } finally {
    await peers?.end();
    for (const name of ['tscompose', 'compose']) await bed.commands[name](directory, 'down');
  }
}

async function peersThatRun({peers}) {
  const bundle = await peers.bundle('exec', ['idle']);
  await peers.podmanRun('-d', '--name', 'tscbench-exec', 'busybox', '/pump', 'idle');
  await peers.crunDetached('--bundle', bundle, 'tscbench-exec');
  return {
    sides: {
      podman: () => timed(() => peers.podman('exec', 'tscbench-exec', '/pump', 'true')),
      crun: () => timed(() => peers.crun('exec', 'tscbench-exec', '/pump', 'true')),
    },
    end: async () => {
      await peers.podman('rm', '-f', '-t', '0', 'tscbench-exec');
      await peers.crun('delete', '--force', 'tscbench-exec');
    },
  };
}
