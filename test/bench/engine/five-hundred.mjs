import {timed} from './measure.mjs';
import {alone} from './report.mjs';

const count = 500;

/** Five hundred containers on one machine: started, listed, logged, removed. */
export async function measureFiveHundred(bed) {
  const services = Object.fromEntries(
    Array.from({length: count}, (_, index) => [
      `s${index}`,
      {
        image: 'busybox',
        command: ['sh', '-c', `echo number ${index}; exec /pump idle`],
        volumes: [`${bed.pump}:/pump:ro`],
      },
    ]),
  );
  const directory = bed.stack('five-hundred', services);
  const run = (...args) => timed(() => bed.commands.tscompose(directory, ...args));
  const show = ({wall, cpu}) => `${Math.round(wall)} (CPU ${Math.round(cpu)}) ms`;
  const up = await run('up', '-d');
  const list = await run('ps', '-q');
  const log = await run('logs', '--no-color');
  const down = await run('down');
  const listed = list.value.trim().split('\n').length;
  const logged = new Set([...log.value.matchAll(/number (\d+)$/gm)].map(([, number]) => number)).size;
  if (listed !== count || logged !== count) throw new Error(`${listed} of ${count} are listed, ${logged} have logged`);
  return Object.entries({up, ps: list, logs: log, down}).map(([verb, taken]) =>
    alone(`${count} containers, ${verb}`, show(taken)),
  );
}
