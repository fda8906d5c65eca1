import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {interleaved, settleDisk, timed} from './measure.mjs';
import {durations} from './report.mjs';

const image = 'tscbench-built';

/** A Dockerfile of ten steps: nothing cached, everything, and one file changed. */
export async function measureBuilds(bed, rounds = 5) {
  const context = join(bed.work, 'ten-steps');
  mkdirSync(join(context, 'src'), {recursive: true});
  writeFileSync(join(context, 'package.json'), '{"name": "sample"}\n');
  for (let index = 0; index < 50; index += 1)
    writeFileSync(join(context, `src/${index}`), `file ${index}\n`.repeat(20));
  writeFileSync(join(context, 'Dockerfile'), tenSteps);
  let edits = 0;
  const sides = sidesOf(bed, context);
  const cold = await compare(sides, rounds, (side) => side.forget());
  const cached = await compare(sides, rounds, () => {});
  const edited = await compare(sides, rounds, () => {
    edits += 1;
    writeFileSync(join(context, 'src/7'), `edit ${edits}\n`);
  });
  await clear(sides);
  return [
    durations('build of ten steps, nothing cached', cold, 0.7),
    durations('build of ten steps, all cached', cached, 0.4),
    durations('build of ten steps, one file changed', edited),
  ];
}

const tenSteps = `FROM busybox
WORKDIR /app
COPY package.json .
RUN seq 1000 > numbers
RUN mkdir -p a/b && cp numbers a/b
COPY src src
RUN cat src/* > all
RUN sha256sum all > sums
ENV MODE=fast
RUN echo $MODE > mode
COPY . .
RUN ls -R > list
CMD ["cat", "list"]
`;

/**
 * A context of 20,000 small files. Those of a cold build were never seen before, and nothing is removed meanwhile: for some minutes
 * after many files were, an ext4 without a journal takes ten times as long for new ones.
 */
export async function measureContext(bed, rounds = 5) {
  const place = join(bed.work, 'many-files');
  rmSync(place, {recursive: true, force: true});
  let contexts = 0;
  const fresh = (side) => {
    contexts += 1;
    side.context = join(place, String(contexts));
    writeManyFiles(side.context, contexts);
  };
  const sides = sidesOf(bed, '');
  const cold = await compare(sides, rounds, fresh);
  const cached = await compare(sides, rounds, () => {});
  await clear(sides);
  rmSync(place, {recursive: true, force: true});
  return [
    durations('build of 20,000 files, nothing cached', cold, 0.7),
    durations('build of 20,000 files, all cached', cached, 0.7),
  ];
}

function writeManyFiles(context, mark) {
  for (let index = 0; index < 200; index += 1) {
    mkdirSync(join(context, `part-${index}`), {recursive: true});
    for (let file = 0; file < 100; file += 1)
      writeFileSync(join(context, `part-${index}/file-${file}`), `${mark} ${index} ${file}\n`.repeat(60));
  }
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY . /all\n');
}

function sidesOf(bed, context) {
  const side = (name, run) => ({
    context,
    run: (...words) => run(...words),
    build() {
      return run('build', '-q', '-t', image, this.context);
    },
    /** What steps resulted in, what is known of the context, and the image. */
    async forget() {
      await run('rmi', '-f', image).catch(() => {});
      await bed.engines[name].pruneBuilder({all: true});
    },
  });
  return {
    tscompose: side('tscompose', (...words) => bed.commands.tscompose(bed.work, 'engine', ...words)),
    docker: side('docker', (...words) => bed.commands.docker(...words)),
  };
}

async function compare(sides, rounds, before) {
  const steps = Object.entries(sides).map(([name, side]) => {
    const measured = async () => {
      await before(side);
      await settleDisk();
      return await timed(() => side.build());
    };
    return [name, measured];
  });
  for (const [, measured] of steps) await measured();
  return await interleaved(rounds, Object.fromEntries(steps));
}

async function clear(sides) {
  for (const side of Object.values(sides)) await side.forget();
}
