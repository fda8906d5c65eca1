import {join} from 'node:path';
import {Docker} from '../../../src/client/docker.ts';
import {eventually} from '../../support/host.ts';
import type {AttackHost} from './targets.ts';

/** `engine serve` on an attacked machine, for what no command of the command line asks for. */
export interface Served extends AsyncDisposable {
  readonly socketPath: string;
  readonly docker: Docker;
}

/** Starts it, and waits until it answers. */
export async function serveAttacked(host: AttackHost): Promise<Served> {
  const socketPath = join(host.run, 'engine.sock');
  let stop = () => {};
  const ended = host.tscompose(['engine', 'serve'], {
    timeoutMs: 600_000,
    onSpawn: (process) => {
      stop = () => process.kill('SIGTERM');
    },
  });
  const docker = new Docker({socketPath});
  const close = async () => {
    await docker.close();
    stop();
    await ended;
  };
  try {
    await eventually(() => docker.ping());
  } catch (error) {
    await close();
    throw error;
  }
  return {socketPath, docker, [Symbol.asyncDispose]: close};
}
