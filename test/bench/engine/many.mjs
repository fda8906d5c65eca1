import {interleaved, timed} from './measure.mjs';
import {durations} from './report.mjs';

const services = (bed, count) =>
  Object.fromEntries(Array.from({length: count}, (_, index) => [`s${index}`, bed.service('idle')]));

/** A hundred containers, made, started, stopped and removed by one command each. */
export async function measureHundred(bed, rounds = 3) {
  const directory = bed.stack('hundred', services(bed, 100));
  const side = (name) => async () => ({
    up: await timed(() => bed.commands[name](directory, 'up', '-d')),
    down: await timed(() => bed.commands[name](directory, 'down')),
  });
  const taken = await interleaved(rounds, {tscompose: side('tscompose'), docker: side('compose')});
  return ['up', 'down'].map((step) => durations(`100 containers, ${step}`, pick(taken, step)));
}

/** Fifty that end as soon as they are told: by one command, and by one request each in one process. */
export async function measureStop(bed, rounds = 5) {
  const directory = bed.stack('fifty', services(bed, 50));
  const side = (name, api) => async () => {
    await bed.commands[name](directory, 'up', '-d');
    const stop = await timed(() => bed.commands[name](directory, 'stop'));
    await bed.commands[name](directory, 'start');
    const made = await bed.engines[api].listContainers({
      filters: {label: ['com.docker.compose.project=tscbench-fifty']},
    });
    if (made.length !== 50) throw new Error(`${made.length} of 50 containers run`);
    const requests = await timed(() => Promise.all(made.map(({Id}) => bed.engines[api].getContainer(Id).stop())));
    return {stop, requests};
  };
  const taken = await interleaved(rounds, {
    tscompose: side('tscompose', 'tscompose'),
    docker: side('compose', 'docker'),
  });
  for (const name of ['tscompose', 'compose']) await bed.commands[name](directory, 'down');
  return [
    durations('`stop` of 50', pick(taken, 'stop'), 0.5),
    durations('stop of 50, in one process', pick(taken, 'requests'), 0.5),
  ];
}

const pick = (taken, step) =>
  Object.fromEntries(Object.entries(taken).map(([name, values]) => [name, values.map((value) => value[step])]));
