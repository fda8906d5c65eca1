import {setTimeout as delay} from 'node:timers/promises';
import {dockerOverhead, memoryOf, ourOverhead} from '../overhead.mjs';
import {amounts} from './report.mjs';

const count = 50;

/** What an engine keeps in memory for each of 50 containers that rest, beside the containers' own processes. */
export async function measureMemory(bed) {
  const directory = bed.stack(
    'memory',
    Object.fromEntries(Array.from({length: count}, (_, index) => [`s${index}`, bed.service('idle')])),
  );
  const overhead = {tscompose: () => ourOverhead(bed.cgroupParent, '/pump'), docker: dockerOverhead};
  const taken = {resident: {}, proportional: {}};
  for (const [side, name] of Object.entries({tscompose: 'tscompose', docker: 'compose'})) {
    await bed.commands[name](directory, 'up', '-d');
    // What only a start needs is given back within the second after it.
    await delay(2500);
    const memory = memoryOf(overhead[side]());
    for (const kind of Object.keys(taken)) taken[kind][side] = [memory[kind] / count];
    await bed.commands[name](directory, 'down');
  }
  return Object.entries(taken).map(([kind, sides]) =>
    amounts(`${kind} memory a container, of ${count}`, sides, {unit: 'kB'}),
  );
}
