/**
 * A program that makes requests of an engine, as a command does, for a test to kill. Arguments: root, run directory, cgroup
 * parent, a file, its later content, and two lists of calls as JSON: `[["containers", "start", "web"], …]`. It makes the first
 * calls, writes the file, which arms the fault, and makes the others. A line tells what each of these answered.
 */
import {writeFileSync} from 'node:fs';
import {toTscomposeError} from '../../../src/base/errors.ts';
import type {Engine} from '../../../src/engine/engine.ts';
import {programEngine} from '../../support/program-engine.ts';
import type {Call} from './calls.ts';
import {perform} from './calls.ts';

const [, , root, run, cgroupParent, file = '', content = '', before = '[]', calls = '[]'] = process.argv;

async function attempt(engine: Engine, call: Call): Promise<void> {
  try {
    process.stdout.write(`${JSON.stringify({value: (await perform(engine, call)) ?? null})}\n`);
  } catch (error) {
    const {kind, message, hint} = toTscomposeError(error);
    process.stdout.write(`${JSON.stringify({error: {kind, message, hint}})}\n`);
  }
}

const engine = await programEngine(root, run, cgroupParent);
for (const call of JSON.parse(before) as readonly Call[]) await perform(engine, call);
writeFileSync(file, content);
for (const call of JSON.parse(calls) as readonly Call[]) await attempt(engine, call);
await engine.close();
