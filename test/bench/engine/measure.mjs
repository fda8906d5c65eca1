import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';

/**
 * What a step takes: milliseconds of waiting, and of the machine's processors. The latter are those of everything on the
 * machine, so that an engine's daemons and the kernel's own threads are counted too, and whatever else is going on.
 * @template T
 * @param {() => Promise<T>} step
 * @returns {Promise<{wall: number, cpu: number, value: T}>}
 */
export async function timed(step) {
  const busy = busyTime();
  const start = process.hrtime.bigint();
  const value = await step();
  return {wall: Number(process.hrtime.bigint() - start) / 1e6, cpu: busyTime() - busy, value};
}

/** Of user, nice, system, interrupts; a tick is 10 milliseconds. */
function busyTime() {
  const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split(/\s+/).map(Number);
  return (user + nice + system + irq + softirq) * 10;
}

/**
 * Runs the step of each side in turn, each round in another order, and collects what they answer by side.
 * @template T
 * @param {number} rounds
 * @param {Readonly<Record<string, () => Promise<T>>>} sides
 * @returns {Promise<Record<string, T[]>>}
 */
export async function interleaved(rounds, sides) {
  const names = Object.keys(sides);
  const taken = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length];
      taken[name].push(await sides[name]());
    }
  return taken;
}

/** @param {readonly number[]} values */
export const median = (values) => quantile(values, 0.5);

/** The value below which a share of all are. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** @param {readonly number[]} values */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** What an earlier step has written would be waited for by the next one. */
export async function settleDisk() {
  await command('sync', []);
}

/** Runs a command to its end and answers what it printed, unless the options say otherwise; throws where it fails. */
export function command(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {stdio: ['ignore', 'pipe', 'pipe'], ...options});
    const output = {stdout: '', stderr: ''};
    for (const stream of ['stdout', 'stderr'])
      child[stream]?.setEncoding('utf8').on('data', (text) => {
        output[stream] += text;
      });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output.stdout);
      else reject(new Error(`${program} ${args.join(' ')} failed with ${code}: ${output.stderr}`));
    });
  });
}
