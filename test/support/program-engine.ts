import {createEngine} from '../../src/engine/create-engine.ts';
import type {Engine} from '../../src/engine/engine.ts';

/** The engine of a program that a test starts and kills: over a root and a run directory of the test's. */
export function programEngine(
  root: string | undefined,
  run: string | undefined,
  cgroupParent: string | undefined,
): Promise<Engine> {
  return createEngine({
    root,
    run,
    cgroupParent,
    helperPath: process.env['TSCOMPOSE_HELPER'],
    version: '0',
    nodePath: process.execPath,
    now: Date.now,
  });
}
