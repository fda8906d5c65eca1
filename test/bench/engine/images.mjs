import {mkdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {command, interleaved, settleDisk, timed} from './measure.mjs';
import {openRegistry} from './registry-doors.mjs';
import {durations} from './report.mjs';
import {makeSampleImage} from './sample-image.mjs';

/** An image of 250 MB through a registry of this machine, as whole commands. */
export async function measureTransfers(bed, rounds = 5) {
  const {work} = bed;
  const program = bed.registryProgram();
  const source = await openRegistry({program, work, name: 'registry-source', port: 41_507});
  const target = await openRegistry({program, work, name: 'registry-target', port: 41_508});
  try {
    const {archive} = await makeSampleImage(work, sample);
    const places = {source: `${source.host}/sample:1`, target: `${target.host}/sample:1`};
    const {docker} = sidesOf(bed);
    await docker('load', '-q', '-i', archive);
    await docker('tag', sample, places.source);
    await docker('push', '-q', places.source);
    await docker('rmi', sample, places.source);
    const rows = [await pulls(bed, rounds, places), await pushes(bed, rounds, {places, target})];
    for (const run of Object.values(sidesOf(bed))) await run('rmi', places.source, places.target);
    return rows;
  } finally {
    await source.close();
    await target.close();
  }
}

/** The same image through archives, and one of its layers unpacked. */
export async function measureArchives(bed, rounds = 5) {
  const made = await makeSampleImage(bed.work, sample);
  const loaded = await compare(bed, rounds, {
    before: (run) => run('rmi', '-f', sample).catch(() => {}),
    step: (run) => run('load', '-q', '-i', made.archive),
  });
  const saved = await compare(bed, rounds, {
    before: async () => rmSync(join(bed.work, 'saved.tar'), {force: true}),
    step: (run) => run('save', '-o', join(bed.work, 'saved.tar'), sample),
  });
  for (const run of Object.values(sidesOf(bed))) await run('rmi', sample);
  return [
    durations('load of 250 MB', loaded, 1),
    durations('save of 250 MB', saved, 1),
    await unpacks(bed, rounds, made),
  ];
}

const sample = 'tscbench:sample';

/** The same words to both. */
function sidesOf(bed) {
  return {
    tscompose: (...words) => bed.commands.tscompose(bed.work, 'engine', ...words),
    docker: (...words) => bed.commands.docker(...words),
  };
}

/** Of both sides in turn: what has to be as it was is made before, and is no part of it. */
async function compare(bed, rounds, {before, step}) {
  const sides = Object.entries(sidesOf(bed)).map(([name, run]) => {
    const measured = async () => {
      await before(run, name);
      await settleDisk();
      return await timed(() => step(run, name));
    };
    return [name, measured];
  });
  return await interleaved(rounds, Object.fromEntries(sides));
}

async function pulls(bed, rounds, {source}) {
  const taken = await compare(bed, rounds, {
    before: (run) => run('rmi', '-f', source).catch(() => {}),
    step: (run) => run('pull', '-q', source),
  });
  return durations('pull of 250 MB', taken, 0.6);
}

async function pushes(bed, rounds, {places, target}) {
  const taken = await compare(bed, rounds, {
    before: async (run) => {
      target.clear();
      await run('tag', places.source, places.target);
    },
    step: (run) => run('push', '-q', places.target),
  });
  return durations('push of 250 MB', taken, 1);
}

async function unpacks(bed, rounds, {packed}) {
  const destination = join(bed.work, 'unpacked');
  const fresh = async () => {
    rmSync(destination, {recursive: true, force: true});
    mkdirSync(destination);
    await settleDisk();
  };
  const taken = await interleaved(rounds, {
    tscompose: async () => {
      await fresh();
      return timed(() => bed.unpack(packed, destination));
    },
    docker: async () => {
      await fresh();
      return timed(() => command('tar', ['-xzf', packed, '-C', destination]));
    },
  });
  rmSync(destination, {recursive: true, force: true});
  return durations('unpacking 42 MB, beside `tar -xzf`', taken, 0.7);
}
