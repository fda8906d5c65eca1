import {interleaved, timed} from './measure.mjs';
import {amounts} from './report.mjs';

const lines = 300_000;

/** A program that writes lines as fast as it can, and then reading them: each is counted and must be in its place. */
export async function measureLogs(bed, rounds = 5) {
  const side = (name) => async () => {
    const container = await bed.create(name, ['lines', String(lines)], {
      HostConfig: {LogConfig: {Type: 'json-file', Config: {}}},
    });
    const writing = await timed(async () => {
      await container.start();
      await container.wait();
    });
    const reading = await timed(async () => countLines(await container.logs()));
    await container.remove();
    if (reading.value !== lines) throw new Error(`${name}: ${reading.value} of ${lines} lines are in the log`);
    return {written: (lines / writing.wall) * 1000, read: (lines / reading.wall) * 1000};
  };
  const taken = await interleaved(rounds, {tscompose: side('tscompose'), docker: side('docker')});
  return ['written', 'read'].map((kind) => {
    const sides = Object.fromEntries(Object.entries(taken).map(([name, all]) => [name, all.map((one) => one[kind])]));
    return amounts(`lines of 100 bytes ${kind}, none lost`, sides, {unit: 'a second', least: 1});
  });
}

/** Throws where a line is not the one that is due. */
async function countLines(log) {
  let count = 0;
  let rest = '';
  for await (const {data} of log) {
    const parts = (rest + Buffer.from(data).toString('latin1')).split('\n');
    rest = parts.pop();
    for (const line of parts) {
      if (Number.parseInt(line, 10) !== count) throw new Error(`line ${count} of the log is "${line}"`);
      count += 1;
    }
  }
  return count;
}
